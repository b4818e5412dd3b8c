"""New scenes as an Atom feed (RFC 4287)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from feedgen.feed import FeedGenerator

#: A feed that holds nothing yet is as old as the format's first second, so that it does not change by itself.
_EPOCH = dt.datetime.fromtimestamp(0, dt.timezone.utc)


def entry_id(collection: str, item_id: str) -> str:
    """The identifier of a scene's entry: the same for ever, in every feed that holds it."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"stac:{collection}/{item_id}").urn


def atom(entries: Iterable[dict[str, Any]], title: str, author: str, page: str, feed: str) -> bytes:
    """Scenes as Atom, in the order given.

    :param entries: each ``collection``, ``id``, ``title``, ``summary``, ``url``, ``updated`` (with its zone)
    :param page: address of the page with the same scenes
    :param feed: the feed's own address, its identifier
    """
    found = list(entries)
    made: Any = FeedGenerator()
    made.id(feed)
    made.title(title)
    made.author({"name": author})
    made.link(href=page, rel="alternate", type="text/html")
    made.link(href=feed, rel="self", type="application/atom+xml")
    made.updated(max((one["updated"] for one in found), default=_EPOCH))
    for one in found:
        entry = made.add_entry(order="append")
        entry.id(entry_id(one["collection"], one["id"]))
        entry.title(one["title"])
        entry.link(href=one["url"], rel="alternate", type="text/html")
        entry.updated(one["updated"])
        entry.summary(one["summary"])
    return made.atom_str(pretty=True)
