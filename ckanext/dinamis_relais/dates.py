"""Dates in words. Babel's French lacks the ordinal of a month's first day (« 1er mai », not « 1 mai »)."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from babel import dates


def in_words(day: dt.date, style: str, locale: str) -> str:
    """A date in words: ``12 juillet 2023``, ``1er mai 2023``.

    :param day: a date; of a moment, its date in its own zone
    :param style: ``long``, or ``full`` with the day of the week
    :param locale: ``fr``, ``en``
    """
    return _in_words(day.date() if isinstance(day, dt.datetime) else day, style, locale)


@lru_cache(maxsize=4096)
def _in_words(day: dt.date, style: str, locale: str) -> str:
    """The same, remembered: of a list's days many are said again and again."""
    text = dates.format_date(day, style, locale=locale)  # type: ignore[arg-type]  # Babel lists its styles
    return re.sub(r"(^|\s)1(?=\s)", r"\g<1>1er", text, count=1) if locale.startswith("fr") and day.day == 1 else text
