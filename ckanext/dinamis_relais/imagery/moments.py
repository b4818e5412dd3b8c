"""Dates of STAC items and of searches. Pure."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from functools import lru_cache
from typing import Any

import msgspec

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*([Zz]|[+-]\d\d:?\d\d)?)?$")

#: Characters. What is longer is no date, and is not worth to be remembered.
LONGEST = 64
#: Characters. Of what has no more than microseconds a library reads most in a tenth of the time, and the same.
_PRECISE = len("2023-07-12T10:34:00.123456Z")


def parse_moment(value: Any) -> tuple[dt.datetime | None, bool]:
    """A date of a STAC item or of a search.

    :param value: RFC 3339 text, or a plain date (its first instant)
    :returns: the moment in UTC (None when it is no date), and whether it named its zone
    """
    return _parsed(value) if isinstance(value, str) and len(value) <= LONGEST else (None, False)


@lru_cache(maxsize=4096)  # the start of a scene is mostly its end, and scenes of one pass follow one another
def _parsed(text: str) -> tuple[dt.datetime | None, bool]:
    if len(text) <= _PRECISE:
        with suppress(msgspec.ValidationError):
            read = msgspec.convert(text, dt.datetime)
            if read.tzinfo is dt.timezone.utc:
                return read, True
    match = _MOMENT.match(text.strip())
    if match is None:
        return None, False
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = dt.timezone.utc
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        offset = dt.timezone(sign * dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))
    try:
        moment = dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59),
            int((fraction or "0")[:6].ljust(6, "0")), tzinfo=offset,
        )  # fmt: skip
        return (moment if offset is dt.timezone.utc else moment.astimezone(dt.timezone.utc)), zone is not None
    except (ValueError, OverflowError):
        return None, False
