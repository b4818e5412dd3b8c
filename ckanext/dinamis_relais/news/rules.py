"""Rules of news and events. Pure."""

from __future__ import annotations

import datetime as dt

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

KINDS = ("news", "event")
SOURCES = ("pigma", "dinamis")
LONGEST = {"title": 150, "body": 20_000, "place": 300}

_WRITE = "news.write"

MACHINE = Machine(
    "news",
    "draft",
    (
        Transition("draft", "publish", "published", _WRITE, None, None, None, Event.NEWS_PUBLISHED.value),
        Transition("published", "unpublish", "draft", _WRITE, None, None, None, Event.NEWS_UNPUBLISHED.value),
    ),
)


def registration_open(
    capacity: int | None, starts_at: dt.datetime | None, until: dt.datetime | None, now: dt.datetime
) -> bool:
    """Whether one may still register: there are places to give, and neither the limit nor the start is past.

    :param capacity: None for an event without registration
    """
    end = until or starts_at
    return bool(capacity) and end is not None and now < end


def place_for(taken: int, capacity: int) -> str:
    """What the next person gets: ``registered`` while there is a place, else ``waiting``."""
    return "registered" if taken < capacity else "waiting"
