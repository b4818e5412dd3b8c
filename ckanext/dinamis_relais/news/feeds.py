"""News as an Atom feed, events as a calendar; only what is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import icalendar
from feedgen.feed import FeedGenerator

from ckanext.dinamis_relais.guides.markup import render


def _moment(value: str) -> dt.datetime:
    return dt.datetime.fromisoformat(value.replace("Z", "+00:00"))


def calendar(events: Iterable[dict[str, Any]], name: str, host: str) -> bytes:
    """Events as iCalendar (RFC 5545), in UTC.

    :param events: of ``dinamis_news_list``
    :param name: what the calendar is called
    :param host: of this site; makes each event's identifier its own in the world
    """
    made = icalendar.Calendar()
    made.add("prodid", "-//ckanext-dinamis-relais//FR")
    made.add("version", "2.0")
    made.add("x-wr-calname", name)
    for one in events:
        event = icalendar.Event()
        event.add("uid", f"{one['id']}@{host}")
        event.add("dtstamp", _moment(one["updated_at"]))
        event.add("dtstart", _moment(one["starts_at"]))
        if one["ends_at"]:
            event.add("dtend", _moment(one["ends_at"]))
        event.add("sequence", one["sequence"])
        event.add("summary", one["title"])
        event.add("description", one["body"])
        event.add("url", one["url"])
        if one["place"]:
            event.add("location", one["place"])
        made.add_component(event)
    return made.to_ical()


def atom(entries: Iterable[dict[str, Any]], title: str, author: str, page: str, feed: str) -> bytes:
    """Entries as Atom (RFC 4287), the newest first.

    :param page: address of the page of news
    :param feed: the feed's own address, its identifier
    """
    made: Any = FeedGenerator()
    made.id(feed)
    made.title(title)
    made.author({"name": author})
    made.link(href=page, rel="alternate")
    made.link(href=feed, rel="self")
    found = list(entries)
    # A feed that holds nothing yet is as old as the format's first second, so that it does not change by itself.
    made.updated(
        max((_moment(one["updated_at"]) for one in found), default=dt.datetime.fromtimestamp(0, dt.timezone.utc))
    )
    for one in found:
        entry = made.add_entry(order="append")
        entry.id(f"urn:uuid:{one['id']}")
        entry.title(one["title"])
        entry.link(href=one["url"])
        entry.updated(_moment(one["updated_at"]))
        entry.published(_moment(one["published_at"] or one["created_at"]))
        entry.content(str(render(one["body"])), type="html")
    return made.atom_str(pretty=True)
