"""Rules of the figures: which months a period holds, sums that run on, and what few persons hide. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Fewest persons that a figure is about where no person may be recognised in it.
FEWEST = 5
#: The period that is shown when none is asked for.
USUAL = "12m"
#: Most months of a period: a century.
_MOST = 1200

_LAST = re.compile(r"([1-9]\d{0,3})m")
_MONTH = r"(\d{4})(?:-(0[1-9]|1[0-2]))?"
_SPAN = re.compile(rf"{_MONTH}(?:/{_MONTH})?")


@dataclass(frozen=True)
class Period:
    """Whole months, from the first day of ``start`` to the end of the month that begins at ``last``."""

    name: str
    start: dt.date
    last: dt.date

    @property
    def end(self) -> dt.date:
        """The first day after the period."""
        return following(self.last)

    @property
    def months(self) -> list[dt.date]:
        """The first day of each month."""
        found = [self.start]
        while found[-1] < self.last:
            found.append(following(found[-1]))
        return found


def following(month: dt.date) -> dt.date:
    """The first day of the month after a month's first day."""
    return dt.date(month.year + month.month // 12, month.month % 12 + 1, 1)


def period(name: str, today: dt.date) -> Period:
    """A period by its name, none of it later than the present month.

    :param name: ``12m`` (the last twelve months, the present one among them), a year (``2025``), a month
        (``2025-03``), or a first and a last one (``2025-03/2025-11``, ``2024/2025``)
    :raises ValueError: it is none of these, or the last one is before the first

    >>> p = period("3m", dt.date(2026, 2, 10)); p.start.isoformat(), p.end.isoformat()
    ('2025-12-01', '2026-03-01')
    >>> [m.month for m in period("2025", dt.date(2026, 2, 10)).months] == list(range(1, 13))
    True
    """
    present = today.replace(day=1)
    if last := _LAST.fullmatch(name):
        back = min(int(last[1]), _MOST) - 1
        number = present.year * 12 + present.month - 1 - back
        return Period(name, dt.date(number // 12, number % 12 + 1, 1), present)
    span = _SPAN.fullmatch(name)
    if span is None:
        raise ValueError(name)
    first, first_month, second, second_month = span.groups()
    until, until_month = (second, second_month) if second else (first, first_month)
    # The year nought and the year 10000 are no years of the calendar: dt.date says so, by a ValueError.
    start, stop = dt.date(int(first), int(first_month or 1), 1), dt.date(int(until), int(until_month or 12), 1)
    if stop < start or start > present:
        raise ValueError(name)
    if (stop.year - start.year) * 12 + stop.month - start.month >= _MOST:
        raise ValueError(name)
    return Period(name, start, min(stop, present))


def running(changes: Mapping[dt.date, float], months: Sequence[dt.date]) -> list[float]:
    """What changes add up to at the end of each month, with all that came before the first.

    :param changes: month → what it added or took

    >>> running({dt.date(2025, 1, 1): 2, dt.date(2025, 3, 1): -1}, [dt.date(2025, m, 1) for m in (2, 3, 4)])
    [2, 1, 1]
    """
    ordered, found, total, at = sorted(changes.items()), [], 0.0, 0
    for month in months:
        while at < len(ordered) and ordered[at][0] <= month:
            total += ordered[at][1]
            at += 1
        found.append(int(total) if total == int(total) else total)
    return found


def hidden(cells: Mapping[Any, tuple[float, int]], apart: bool) -> set[Any]:
    """Which cells are not shown to who may not see single persons, so that no figure is about fewer than five.

    A single hidden cell would be told by the total less the others: then the smallest of the others is hidden with it.

    :param cells: cell → (its value, persons behind it, or at least so many)
    :param apart: True when no person is behind two cells (states of accounts), False when one may be (months)
    """
    few = {key for key, (value, persons) in cells.items() if value and persons < FEWEST}
    if not few:
        return set()
    behind = [cells[key][1] for key in few]
    if (sum(behind) if apart else max(behind)) < FEWEST:
        others = [(persons, str(key), key) for key, (value, persons) in cells.items() if value and key not in few]
        few |= {min(others)[2]} if others else set()
    return few


def mean_days(seconds: float, count: float) -> float | None:
    """Days on the average, to a tenth; None when there was nothing to wait for."""
    return round(seconds / count / 86400, 1) if count else None


def largest(rows: Iterable[dict[str, Any]], key: str, most: int) -> list[dict[str, Any]]:
    """The rows with the largest value of a key, the largest first."""
    return sorted(rows, key=lambda row: (-row[key], str(row.get("label", ""))))[:most]
