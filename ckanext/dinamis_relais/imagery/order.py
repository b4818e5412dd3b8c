"""The order of a search's pages, and where each page begins: keysets, forwards and backwards, in any order.

A page's token holds what its neighbour's edge is sorted by, never an offset: scenes that come or go meanwhile
shift nothing, and the thousandth page costs what the first does. Unknown values come last in both directions.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as short
from typing import Any

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.queryables import CORE, Queryable, SearchError, find, writable

#: Properties that one search may be sorted by.
MOST_KEYS = 8


@dataclass(frozen=True)
class Key:
    """One thing that scenes are sorted by."""

    queryable: Queryable
    descending: bool = False

    @property
    def kind(self) -> str:
        """Kind of its values."""
        return self.queryable.order_kind or "text"

    @property
    def sql(self) -> Any:
        """The value."""
        return self.queryable.sql(self.kind)

    @property
    def name(self) -> str:
        """As ``sortby`` writes it."""
        return ("-" if self.descending else "+") + self.queryable.name

    def by(self, back: bool) -> Any:
        """The element of ORDER BY."""
        element = self.sql.desc() if self.descending != back else self.sql.asc()
        if not self.queryable.nullable:
            return element
        return element.nulls_first() if back else element.nulls_last()

    def beyond(self, value: Any, back: bool) -> Any:
        """SQL: it comes strictly after a value (before it when going back)."""
        if value is None:
            return self.sql.isnot(None) if back else sa.false()
        bound = self.bound(value)
        later = self.sql < bound if self.descending != back else self.sql > bound
        return sa.or_(later, self.sql.is_(None)) if self.queryable.nullable and not back else later

    def same(self, value: Any) -> Any:
        """SQL: it is the value."""
        return self.sql.is_(None) if value is None else self.sql == self.bound(value)

    def bound(self, value: Any) -> Any:
        """A value of it, bound."""
        return sa.literal(value, sa.DateTime(timezone=True)) if self.kind == "moment" else sa.literal(value)


@dataclass(frozen=True)
class Edge:
    """Where a page begins.

    :ivar values: what the neighbour's scene at this edge is sorted by
    :ivar back: True when the page lies before it
    :ivar matched: how many scenes match, as the first page counted; None when it did not
    """

    values: tuple[Any, ...]
    back: bool = False
    matched: int | None = None


@dataclass(frozen=True)
class Order:
    """A total order of scenes: the last keys are always collection and id."""

    keys: tuple[Key, ...]

    @property
    def name(self) -> str:
        """As ``sortby`` writes it."""
        return ",".join(key.name for key in self.keys)

    def by(self, back: bool = False) -> list[Any]:
        """The elements of ORDER BY."""
        return [key.by(back) for key in self.keys]

    def beyond(self, edge: Edge) -> Any:
        """SQL: the scene lies beyond a page's edge."""
        later: Any = sa.false()
        for key, value in zip(reversed(self.keys), reversed(edge.values), strict=True):
            later = sa.or_(key.beyond(value, edge.back), sa.and_(key.same(value), later))
        first, value = self.keys[0], edge.values[0]
        if first.queryable.nullable or value is None:
            return later
        # Said once more as a plain range, which an index is searched by.
        bound = first.bound(value)
        return sa.and_(first.sql <= bound if first.descending != edge.back else first.sql >= bound, later)

    def token(self, edge: Edge) -> str:
        """A page's edge as a text for its address."""
        values = [one.isoformat() if isinstance(one, dt.datetime) else one for one in edge.values]
        packed = orjson.dumps([self.name, edge.back, edge.matched, values])
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def read(self, token: Any) -> Edge | None:
        """The edge that a token means.

        :raises SearchError: it is none, or one of a search in another order
        """
        if token in (None, ""):
            return None
        try:
            name, back, matched, values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            if name != self.name or len(values) != len(self.keys):
                raise ValueError("another order")
            read = tuple(_value(key, one) for key, one in zip(self.keys, values, strict=True))
            return Edge(read, back is True, matched if isinstance(matched, int) else None)
        except (ValueError, TypeError) as error:
            raise SearchError("token", "This page address is no longer valid. Search again.") from error


_TYPES: dict[str, type | tuple[type, ...]] = {"text": str, "number": (int, float), "boolean": bool}


def _value(key: Key, value: Any) -> Any:
    if value is None:
        if key.queryable.nullable:
            return None
        raise TypeError(key.name)
    if key.kind == "moment":
        moment = dt.datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)
    if not isinstance(value, _TYPES[key.kind]):
        raise TypeError(key.name)
    return writable(value, "token") if isinstance(value, str) else value


_LAST = (Key(CORE["collection"]), Key(CORE["id"]))
#: Newest first.
NEWEST = Order((Key(CORE["datetime"], descending=True), *_LAST))


def parse(value: Any, known: Mapping[str, Queryable]) -> Order:
    """The order of ``sortby``: ``-datetime,+id`` of a GET, a list of ``{"field", "direction"}`` of a POST.

    Scenes that are equal in it are sorted newest first, then by collection and id.

    :raises SearchError: unknown property or direction
    """
    entries = value.split(",") if isinstance(value, str) else value
    if not entries:
        return NEWEST
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise SearchError("sortby", f"Give a list of 1 to {MOST_KEYS} properties, such as -datetime,+eo:cloud_cover.")
    keys: list[Key] = []
    for entry in entries:
        key = _key(entry, known)
        if key.queryable.name not in {one.queryable.name for one in keys}:
            keys.append(key)
    named = {key.queryable.name for key in keys}
    return Order((*keys, *(key for key in NEWEST.keys if key.queryable.name not in named)))


def _key(entry: Any, known: Mapping[str, Queryable]) -> Key:
    if isinstance(entry, str):
        # A plus in an address is a space once it is decoded.
        name, direction = entry.strip().lstrip("+-"), "desc" if entry.strip().startswith("-") else "asc"
    elif isinstance(entry, dict):
        name, direction = entry.get("field"), entry.get("direction", "asc")
    else:
        raise SearchError("sortby", f"Unknown: {short(entry)}. Give a property with + or - before it.")
    if direction not in ("asc", "desc"):
        raise SearchError("sortby", f"Unknown direction {short(direction)}. Possible: asc, desc.")
    found = find(known, name, "sortby")
    if found.order_kind is None:
        raise SearchError("sortby", f"'{found.name}' has no order. Sort by another property.")
    return Key(found, direction == "desc")
