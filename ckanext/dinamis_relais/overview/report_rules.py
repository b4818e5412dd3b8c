"""Rules of the report: the period before, the differences, and what few persons hide. Pure.

A report leaves the platform: whoever asked for it, no figure of it is about fewer than five persons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ckanext.dinamis_relais.overview.rules import FEWEST, Period, hidden

#: What is done one after the other, each kept before the next begins.
STEPS = ("figures", "document", "annex")
#: Most months of a report: a few pages.
MOST = 60
#: What is told of a period and of the one before: name → what it holds (a kind of ``tables``).
TOTALS: dict[str, str] = {
    "members": "integer",
    "new_members": "integer",
    "departments": "integer",
    "accounts": "integer",
    "new_accounts": "integer",
    "downloaders": "integer",
    "files": "integer",
    "scenes": "integer",
    "gigabytes": "number",
    "km2": "number",
    "requests": "integer",
    "images": "integer",
}
#: Of these, what says nothing of one partner alone.
ONLY_ALL = ("members", "new_members", "departments", "downloaders")

Found = dict[str, Any]


@dataclass(frozen=True)
class Persons:
    """How many persons are behind figures of a period: by month, series, partner, category, theme; and of all.

    :ivar waited: kind of delay → persons who waited
    """

    everybody: int = 0
    month: Mapping[str, int] = field(default_factory=dict)
    series: Mapping[str, int] = field(default_factory=dict)
    partner: Mapping[str, int] = field(default_factory=dict)
    category: Mapping[str, int] = field(default_factory=dict)
    theme: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    images: int = 0
    waited: Mapping[str, int] = field(default_factory=dict)


def period_before(period: Period) -> Period:
    """As many months, the last of them just before the period.

    >>> p = period_before(Period("2025", dt.date(2025, 1, 1), dt.date(2025, 12, 1))); p.start.isoformat(), p.last.month
    ('2024-01-01', 12)
    """
    number = period.start.year * 12 + period.start.month - 1
    first, last = number - len(period.months), number - 1
    start = dt.date(first // 12, first % 12 + 1, 1)
    return Period("before", start, dt.date(last // 12, last % 12 + 1, 1))


def state(made: bool, batch: str | None) -> str:
    """``made``, ``making`` or ``failed``.

    :param batch: state of the work that makes it; None when it is gone
    """
    return "made" if made else "making" if batch == "running" else "failed"


def _few(value: float, persons: int) -> float | None:
    return None if value and persons < FEWEST else value


def _rows(rows: Sequence[Found], key: str, persons: Mapping[str, int], measures: Sequence[str]) -> list[Found]:
    """Rows of downloads, ``None`` in place of what few persons did."""
    few = hidden({row[key]: (row["files"], persons.get(row[key], 0)) for row in rows}, apart=False)
    return [{**row, **dict.fromkeys(measures)} if row[key] in few else dict(row) for row in rows]


def _accounts(row: Found) -> Found:
    cells = {name: (value, value) for name, value in row.items() if name != "month"}
    return {**row, **dict.fromkeys(hidden(cells, apart=True))}


def masked(found: Found, persons: Persons, measures: Sequence[str]) -> Found:
    """The dashboard's figures without those about fewer than five persons (``None``).

    Requests are told for the whole period only: who asked for what in one month is one person nearly always.

    :param measures: names of what downloads are measured by
    """
    own = found["downloads"]
    few = own["totals"]["files"] and persons.everybody < FEWEST
    new = {key: sum(row[key] for row in found["new"]) for key in ("accounts", "requests", "images")}
    behind = {"accounts": new["accounts"], "requests": persons.requests, "images": persons.images}
    return {
        "period": found["period"],
        "members": found["members"],
        "accounts": {"by_month": [_accounts(row) for row in found["accounts"]["by_month"]]},
        "new": [{"month": row["month"], "members": row["members"]} for row in found["new"]],
        "sums": {key: _few(value, behind[key]) for key, value in new.items()},
        "downloads": {
            "totals": dict.fromkeys(measures) if few else own["totals"],
            "by_month": _rows(own["by_month"], "month", persons.month, measures),
            "by_series": _rows(own["by_series"], "series", persons.series, measures),
            "by_theme": _rows(own["by_theme"], "theme", persons.theme, measures),
            "by_partner": _rows(own["by_partner"], "organization_id", persons.partner, measures),
            "by_category": _rows(own["by_category"], "category", persons.category, measures),
            "partners": own["partners"],
        },
        "delays": [_delay(row, persons.waited) for row in found["delays"]],
        "never_downloaded": found["never_downloaded"],
    }


def _delay(row: Found, waited: Mapping[str, int]) -> Found:
    # A file is an organisation's; everything else is one person's who waited.
    behind = min(row["count"], waited.get(row["kind"], 0))
    few = row["kind"] != "application" and row["count"] and behind < FEWEST
    return {**row, "count": None, "days": None} if few else row


def _values(found: Found, none: str) -> Found:
    totals, sums = found["downloads"]["totals"], found["sums"]
    size = totals["bytes"]
    places = {row["department"] for row in found["members"]["by_department"] if row["members"]} - {none}
    return {
        "members": found["members"]["by_month"][-1]["active"],
        "new_members": sum(row["members"] for row in found["new"]),
        "departments": len(places),
        "accounts": found["accounts"]["by_month"][-1]["active"],
        "new_accounts": sums["accounts"],
        "downloaders": found["downloads"]["partners"],
        "files": totals["files"],
        "scenes": totals["scenes"],
        "gigabytes": None if size is None else round(size / 1e9, 3),
        "km2": None if totals["km2"] is None else round(totals["km2"], 1),
        "requests": sums["requests"],
        "images": sums["images"],
    }


def compared(now: Found, before: Found, alone: bool, none: str) -> list[Found]:
    """Each figure beside that of the period before: ``name, kind, now, before, difference``; None where it is hidden.

    :param alone: the report is of one partner
    :param none: stands for no département
    """
    here, there = _values(now, none), _values(before, none)
    rows = []
    for name, kind in TOTALS.items():
        if alone and name in ONLY_ALL:
            continue
        one, other = here[name], there[name]
        difference = None if one is None or other is None else round(one - other, 3)
        rows.append({"name": name, "kind": kind, "now": one, "before": other, "difference": difference})
    return rows
