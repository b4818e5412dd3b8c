"""What the actions on news and events take."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.guides.schema import text_of, word
from ckanext.dinamis_relais.news.rules import KINDS, LONGEST, SOURCES
from ckanext.dinamis_relais.schema import validator


def moment(value: Any) -> dt.datetime:
    """RFC 3339, or without a zone in the site's display time zone, as a form gives it; UTC."""
    if not isinstance(value, dt.datetime):
        try:
            value = dt.datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
        except ValueError as error:
            raise tk.Invalid(tk._("Give a date and a time, for instance 2026-12-01T14:00.")) from error
    if value.tzinfo is None:
        zone: Any = tk.h.get_display_timezone()
        value = zone.localize(value) if hasattr(zone, "localize") else value.replace(tzinfo=zone)
    return value.astimezone(dt.timezone.utc)


def _capacity(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise tk.Invalid(tk._("Give the number of places, or nothing for an event without registration.")) from error
    if not 1 <= number <= 100_000:
        raise tk.Invalid(tk._("Give a number of places from 1 to 100,000."))
    return number


def _dates(key: Any, data: Any, errors: Any, context: Any) -> None:
    """What an event needs, and what does not fit together."""
    del key, context
    start, end, until = (data.get((name,)) for name in ("starts_at", "ends_at", "registration_until"))
    if data.get(("kind",)) == "event" and not start and not errors[("starts_at",)]:
        errors[("starts_at",)].append(tk._("Say when the event begins."))
    if start and end and end < start:
        errors[("ends_at",)].append(tk._("The end is before the beginning."))
    if until and start and until > start:
        errors[("registration_until",)].append(tk._("Registrations end before the event begins."))


def entry() -> dict[str, Any]:
    """A piece of news or an event."""
    when = [validator("ignore_empty"), moment]
    return {
        "kind": [validator("default")("news"), validator("one_of")(KINDS)],
        "title": [text_of(LONGEST["title"], tk._("Give it a title."))],
        "body": [text_of(LONGEST["body"], tk._("Write the text."), lines=True)],
        "source": [validator("default")("pigma"), validator("one_of")(SOURCES)],
        "place": [text_of(LONGEST["place"])],
        "starts_at": when,
        "ends_at": when,
        "registration_until": when,
        "capacity": [validator("ignore_empty"), _capacity],
        "__after": [_dates],
    }


def changed() -> dict[str, Any]:
    """New words of an entry."""
    return {"id": word(), **entry()}
