"""Scenes out of the store: a STAC search becomes one SQL statement, items are answered as stored."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import orjson
import shapely
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.model import KEYSET, collections, scenes
from ckanext.dinamis_relais.imagery.normalise import parse_moment

DEFAULT_LIMIT = 10
MAX_LIMIT = 1000
#: Points of a search area. More is a mistake, and would cost every scene a long comparison.
MAX_POINTS = 50_000

_QUERYABLE = {"eo:cloud_cover": scenes.c.cloud, "platform": scenes.c.platform, "gsd": scenes.c.gsd}
_OPERATORS = {
    "eq": lambda column, value: column == value,
    "neq": lambda column, value: column != value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "in": lambda column, value: column.in_(value),
}


class SearchError(ValueError):
    """A search that cannot be understood.

    :ivar field: the member of the search that is wrong
    """

    def __init__(self, where: str, message: str):
        self.field = where
        super().__init__(message)


@dataclass(frozen=True)
class Search:
    """A STAC item search, checked.

    :ivar clauses: SQL conditions by the member they come from, so that one can be left out
    :ivar after: keyset of the last item of the page before: (moment, collection, id)
    """

    clauses: dict[str, Any] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    after: tuple[dt.datetime, str, str] | None = None

    def where(self, without: str | None = None) -> Any:
        """All conditions but one."""
        return sa.and_(sa.true(), *(clause for key, clause in self.clauses.items() if key != without))


@dataclass(frozen=True)
class Found:
    """One page of a search.

    :ivar items: JSON texts of items, as stored
    :ivar keys: (collection, id) of each
    :ivar matched: how many scenes match in all, None when it was not asked
    :ivar token: what the next page is asked with, None at the end
    """

    items: list[str]
    keys: list[tuple[str, str]]
    matched: int | None
    token: str | None


def parse(body: dict[str, Any]) -> Search:
    """Check the body of a STAC ``POST /search``.

    Takes ``bbox``, ``intersects``, ``datetime``, ``collections``, ``ids``, ``query`` (on eo:cloud_cover,
    platform, gsd), ``limit``, ``token`` and ``sortby`` (newest first, the only order there is).

    :raises SearchError: names the member and says what is expected
    """
    if not isinstance(body, dict):
        raise SearchError("body", "Give a JSON object.")
    clauses: dict[str, Any] = {}
    if body.get("bbox") is not None and body.get("intersects") is not None:
        raise SearchError("bbox", "Give bbox or intersects, not both.")
    for member, make in _MEMBERS.items():
        if body.get(member) is not None:
            clauses[member] = make(body[member])
    _sortby(body.get("sortby"))
    return Search(clauses, _limit(body.get("limit")), _after(body.get("token")))


def run(engine: Any, search: Search, count: bool = True) -> Found:
    """The page of scenes that a search asks for, newest first.

    :param engine: of the scene store
    :param count: False when the number of matches is not needed
    """
    moment, collection, item_id = scenes.c.datetime, scenes.c.collection, scenes.c.id
    query = sa.select(sa.cast(scenes.c.item, sa.Text), moment, collection, item_id).where(search.where())
    if search.after:
        at, of, last = search.after
        later = sa.tuple_(collection, item_id) > sa.tuple_(sa.literal(of), sa.literal(last))
        query = query.where(moment <= at, sa.or_(moment < at, later))
    query = query.order_by(*KEYSET).limit(search.limit + 1)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
        total = sa.select(sa.func.count()).select_from(scenes).where(search.where())
        matched_ = connection.execute(total).scalar_one() if count else None
    page = rows[: search.limit]
    more = len(rows) > search.limit
    token = _token(page[-1][1], page[-1][2], page[-1][3]) if more and page else None
    return Found([row[0] for row in page], [(row[2], row[3]) for row in page], matched_, token)


def show(engine: Any, collection: str, item_id: str) -> str | None:
    """One scene's item as JSON text, None when there is none."""
    query = sa.select(sa.cast(scenes.c.item, sa.Text))
    query = query.where(scenes.c.collection == collection, scenes.c.id == item_id)
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def years(engine: Any, search: Search) -> list[tuple[int, int]]:
    """How many scenes there are of each year (UTC), whatever period the search names; years in order."""
    year = sa.cast(sa.func.date_part("year", scenes.c.datetime), sa.Integer)
    query = sa.select(year, sa.func.count()).where(search.where(without="datetime"))
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(query.group_by(year).order_by(year))]


def matched(engine: Any, search: Search, without: str | None = None) -> int:
    """How many scenes match, all conditions but one applied."""
    query = sa.select(sa.func.count()).select_from(scenes).where(search.where(without))
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def platforms(engine: Any) -> list[str]:
    """The satellites that the store knows, in order."""
    query = sa.select(scenes.c.platform).where(scenes.c.platform.isnot(None)).distinct()
    with engine.connect() as connection:
        return sorted(connection.execute(query).scalars())


def all_collections(engine: Any) -> list[dict[str, Any]]:
    """Every collection: ``id``, ``body`` (as its source gave it), ``asset_roles``, ``source_url``."""
    query = sa.select(
        collections.c.id, collections.c.body, collections.c.asset_roles, collections.c.source_url
    ).order_by(collections.c.id)
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def collection_extents(engine: Any) -> dict[str, dict[str, Any]]:
    """What each collection really holds: ``count``, ``bbox``, ``start``, ``end``."""
    query = sa.select(
        scenes.c.collection, sa.func.count().label("count"), sa.func.min(scenes.c.datetime).label("start"),
        sa.func.max(scenes.c.end_datetime).label("end"), sa.func.ST_Extent(scenes.c.geom).label("box"),
    ).group_by(scenes.c.collection)  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {
        row.collection: {"count": row.count, "start": row.start, "end": row.end, "bbox": box_of(row.box)}
        for row in rows
    }


def box_of(text: str | None) -> list[float] | None:
    """West, south, east, north of PostGIS's ``BOX(w s,e n)``."""
    if not text:
        return None
    return [float(value) for value in text[4:-1].replace(",", " ").split()]


def area_of(geometry: Any) -> Any:
    """SQL: the scene's footprint meets a GeoJSON geometry (longitude, latitude).

    :raises SearchError: no valid geometry, or one with too many points
    """
    try:
        shape = shapely.from_geojson(orjson.dumps(geometry))
        points = shapely.get_num_coordinates(shape)
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise SearchError("intersects", f"It is no GeoJSON geometry: {error}") from error
    if shape is None or shape.is_empty or not 0 < points <= MAX_POINTS:
        raise SearchError("intersects", f"Give a GeoJSON geometry of 1 to {MAX_POINTS} points.")
    valid = shape if shape.is_valid else shapely.make_valid(shape)
    value = sa.func.ST_GeomFromWKB(sa.literal(shapely.to_wkb(shapely.force_2d(valid)), sa.LargeBinary), 4326)
    return sa.func.ST_Intersects(scenes.c.geom, value)


def _bbox(value: Any) -> Any:
    if isinstance(value, str):
        value = value.split(",")
    try:
        numbers = [float(one) for one in value]
    except (TypeError, ValueError) as error:
        raise SearchError("bbox", "Give four numbers: west, south, east, north.") from error
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(-1e6 < one < 1e6 for one in numbers):
        raise SearchError("bbox", "Give four numbers: west, south, east, north.")
    west, south, east, north = numbers
    if south > north:
        raise SearchError("bbox", "Its south is north of its north.")
    # A box that crosses the antimeridian (west > east) is two boxes.
    boxes = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    envelopes = [sa.func.ST_MakeEnvelope(one, south, other, north, 4326) for one, other in boxes]
    return sa.or_(*(sa.func.ST_Intersects(scenes.c.geom, envelope) for envelope in envelopes))


def _datetime(value: Any) -> Any:
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) not in (1, 2):
        raise SearchError("datetime", "Give an instant or an interval: 2020-01-01T00:00:00Z/..")
    moments = []
    for part in parts:
        moment = parse_moment(part)[0]
        if moment is None and part not in ("", ".."):
            raise SearchError("datetime", f"'{part}' is no date. Write it as 2020-01-01T00:00:00Z.")
        moments.append(moment)
    start, end = moments[0], moments[-1]
    if not any(moments):
        raise SearchError("datetime", "An interval needs a start or an end.")
    if start and end and start > end:
        raise SearchError("datetime", "It ends before it starts.")
    clauses = [] if end is None else [scenes.c.datetime <= end]
    if start is not None:
        clauses.append(scenes.c.end_datetime >= start)
    return sa.and_(*clauses)


def _names(member: str, column: Any) -> Any:
    def clause(value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SearchError(member, "Give a list of texts.")
        return column.in_(names) if names else sa.true()

    return clause


def _query(value: Any) -> Any:
    if not isinstance(value, dict):
        raise SearchError("query", 'Give an object such as {"eo:cloud_cover": {"lte": 10}}.')
    clauses = []
    for name, conditions in value.items():
        column = _QUERYABLE.get(name)
        if column is None or not isinstance(conditions, dict):
            raise SearchError("query", f"Unknown: {name}. Possible: {', '.join(_QUERYABLE)}.")
        for operator, operand in conditions.items():
            clauses.append(_condition(name, column, operator, operand))
    return sa.and_(sa.true(), *clauses)


def _condition(name: str, column: Any, operator: str, operand: Any) -> Any:
    make = _OPERATORS.get(operator)
    if make is None:
        raise SearchError("query", f"Unknown operator '{operator}'. Possible: {', '.join(_OPERATORS)}.")
    values = operand if operator == "in" else [operand]
    kind = str if column is scenes.c.platform else (int, float)
    if not isinstance(values, list) or not all(isinstance(one, kind) for one in values):
        raise SearchError("query", f"{name}, {operator}: the value has the wrong type.")
    return make(column, operand)


def _limit(value: Any) -> int:
    if value in (None, ""):
        return DEFAULT_LIMIT
    try:
        limit = int(value)
    except (TypeError, ValueError) as error:
        raise SearchError("limit", "Give a whole number.") from error
    if limit < 1:
        raise SearchError("limit", "Give at least 1.")
    return min(limit, MAX_LIMIT)


def _sortby(value: Any) -> None:
    if not value:
        return
    entries = value.split(",") if isinstance(value, str) else value
    first = entries[0] if isinstance(entries, list) and entries else None
    named = first.get("field") if isinstance(first, dict) else str(first or "").lstrip("+-")
    descending = first.get("direction") == "desc" if isinstance(first, dict) else str(first).startswith("-")
    if named not in ("datetime", "properties.datetime") or not descending:
        raise SearchError("sortby", "Scenes are sorted by -datetime (newest first) only.")


def _token(moment: dt.datetime, collection: str, item_id: str) -> str:
    packed = orjson.dumps([moment.isoformat(), collection, item_id])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _after(token: Any) -> tuple[dt.datetime, str, str] | None:
    if token in (None, ""):
        return None
    try:
        moment, collection, item_id = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return dt.datetime.fromisoformat(moment), str(collection), str(item_id)
    except (ValueError, TypeError) as error:
        raise SearchError("token", "This page address is no longer valid. Search again.") from error


_MEMBERS = {
    "bbox": _bbox,
    "intersects": area_of,
    "datetime": _datetime,
    "collections": _names("collections", scenes.c.collection),
    "ids": _names("ids", scenes.c.id),
    "query": _query,
}
