"""How two periods of time stand to each other, as SQL: the temporal operators of CQL2."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

#: Start and end; both the same for an instant.
Period = tuple[Any, Any]

_MOMENT = sa.DateTime(timezone=True)
#: What an open start and an open end are.
OPEN = (sa.cast(sa.literal("-infinity"), _MOMENT), sa.cast(sa.literal("infinity"), _MOMENT))

#: Operator → condition; names in lower case, the relations of Allen as OGC 21-065r2 defines them.
RELATIONS: dict[str, Callable[[Period, Period], Any]] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_contains": lambda a, b: sa.and_(a[0] < b[0], a[1] > b[1]),
    "t_disjoint": lambda a, b: sa.or_(a[1] < b[0], a[0] > b[1]),
    "t_during": lambda a, b: sa.and_(a[0] > b[0], a[1] < b[1]),
    "t_equals": lambda a, b: sa.and_(a[0] == b[0], a[1] == b[1]),
    "t_finishedby": lambda a, b: sa.and_(a[0] < b[0], a[1] == b[1]),
    "t_finishes": lambda a, b: sa.and_(a[0] > b[0], a[1] == b[1]),
    "t_intersects": lambda a, b: sa.and_(a[0] <= b[1], a[1] >= b[0]),
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metby": lambda a, b: a[0] == b[1],
    "t_overlappedby": lambda a, b: sa.and_(a[0] > b[0], a[0] < b[1], a[1] > b[1]),
    "t_overlaps": lambda a, b: sa.and_(a[0] < b[0], a[1] > b[0], a[1] < b[1]),
    "t_startedby": lambda a, b: sa.and_(a[0] == b[0], a[1] > b[1]),
    "t_starts": lambda a, b: sa.and_(a[0] == b[0], a[1] < b[1]),
}


def literal(value: Any) -> Any:
    """A bound value with its type."""
    return sa.literal(value, _MOMENT) if isinstance(value, dt.datetime) else sa.literal(value)
