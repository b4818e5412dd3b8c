"""Rules of time: when a reminder is due, how long a term lasts, when a membership may end by itself. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence

#: Why a membership ended by itself, or because somebody said so.
ENDED_BECAUSE = ("left", "term", "reacceptance")
#: States of a renewal in which others than the member must act: the end of the term waits for them.
EXAMINED = ("signed", "under_review", "submitted", "deferred")


def begins(before: str | None, since: dt.datetime | None, kind: str, now: dt.datetime) -> dt.datetime:
    """Since when a membership holds, once a file is accepted: who comes back after an end begins anew.

    :param before: state of the membership there is, None for none
    :param since: its begin
    :param kind: of the file

    >>> then, now = dt.datetime(2024, 1, 1), dt.datetime(2026, 1, 1)
    >>> [begins(*one, now).year for one in ((None, None, "first"), ("ended", then, "first"), ("active", then, "first"))]
    [2026, 2026, 2024]
    """
    return now if since is None or (before == "ended" and kind == "first") else since


def due_after(days: Sequence[int], passed: int) -> int | None:
    """Which reminder is due so many days after something was asked; only the latest, when several were missed.

    >>> due_after([7, 21], 6), due_after([7, 21], 8), due_after([7, 21], 90)
    (None, 7, 21)
    """
    return max((day for day in days if day <= passed), default=None)


def due_before(days: Sequence[int], left: int) -> int | None:
    """Which warning is due so many days before an end (negative: after it); only the most urgent.

    >>> due_before([7, 30, 60], 61), due_before([7, 30, 60], 45), due_before([7, 30, 60], -3)
    (None, 60, 7)
    """
    return min((day for day in days if day >= left), default=None)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later; the month's last day where it has no such day.

    >>> add_months(dt.date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_day(kind: str, months: int, accepted_on: dt.date, present: dt.date | None, runs: bool) -> dt.date | None:
    """Last day of a membership's term once a file is accepted; None for a membership without an end.

    A renewal goes on from the present term, so that who renews early loses no day; a change of details or a new
    acceptance of the texts leaves the term as it is.

    :param kind: the file's
    :param months: the operator's duration; 0 for none
    :param present: last day of the present term
    :param runs: whether the membership has not ended
    """
    if runs and kind in ("change", "reacceptance"):
        return present
    if not months:
        return None
    if runs and kind == "renewal" and present is not None and present >= accepted_on:
        return add_months(present, months)
    return add_months(accepted_on, months) - dt.timedelta(days=1)


def may_end(last: dt.date, today: dt.date, days: Sequence[int], warned_on: dt.date | None) -> bool:
    """Whether what had a last day may end: the day is over, and the last warning left early enough.

    A member that nobody could warn (the daily command did not run) is warned first, and has that warning's days.

    :param last: last day, still within
    :param days: days of the warnings; empty when the operator wants none
    :param warned_on: day on which the most urgent warning left
    """
    if today <= last:
        return False
    return not days or (warned_on is not None and (today - warned_on).days >= min(days))


def outdated(accepted: Mapping[str, str] | None, current: Mapping[str, str]) -> list[str]:
    """Names of the texts whose version in force is not the one that was accepted.

    :param accepted: text → version; None when nothing is known of it
    """
    return [name for name, version in current.items() if (accepted or {}).get(name) != version]
