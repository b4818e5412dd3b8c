"""Scenes out of the store: a STAC search becomes one SQL statement, items are answered as stored."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from ckanext.dinamis_relais.imagery import cql, looking, order, tally
from ckanext.dinamis_relais.imagery.areas import geometry_of
from ckanext.dinamis_relais.imagery.fields import Fields
from ckanext.dinamis_relais.imagery.fields import parse as parse_fields
from ckanext.dinamis_relais.imagery.model import collections, scenes
from ckanext.dinamis_relais.imagery.moments import parse_moment
from ckanext.dinamis_relais.imagery.order import NEWEST, Edge, Order
from ckanext.dinamis_relais.imagery.query import conditions
from ckanext.dinamis_relais.imagery.queryables import CORE, Queryable, SearchError, platform_name, writable

DEFAULT_LIMIT = 10
MAX_LIMIT = 1000
#: Matches are counted up to this many, for this long (milliseconds), on the first page only; beyond, none is said:
#: an exact count of a million scenes would cost more than the page, and an estimate would be taken for a count.
COUNT_UP_TO, COUNT_WITHIN = 10_000, 50
#: Counting is not begun where more are expected than so many times as many.
HOPELESS = 1.5
#: A page that takes longer (milliseconds) is refused, so that one search cannot hold up the others.
PAGE_WITHIN = 30_000

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$", re.IGNORECASE)

#: Members that may name properties: only for these are the store's own read.
NAMING = ("filter", "query", "sortby")


@dataclass(frozen=True)
class Search:
    """A STAC item search, checked.

    :ivar clauses: SQL conditions by the member they come from, so that one can be left out
    :ivar counted: those that are put otherwise to count
    :ivar tallied: what it asks for beside its period, when that is counted already
    :ivar after: where its page begins, None for the first one
    :ivar fields: what is given of each item, None for all
    """

    clauses: dict[str, Any] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    order: Order = NEWEST
    after: Edge | None = None
    fields: Fields | None = None
    counted: dict[str, Any] = field(default_factory=dict)
    tallied: tally.Asked | None = None

    @property
    def kept(self) -> tally.Asked | None:
        """What it asks for in all, when that is counted already; None when its scenes must be looked at."""
        return None if "datetime" in self.clauses else self.tallied

    @property
    def beside(self) -> Any:
        """Those conditions that the indexes of the order of time answer."""
        return sa.and_(sa.true(), *(self.clauses[name] for name in _BESIDE if name in self.clauses))

    def where(self, without: str | None = None, count: bool = False) -> Any:
        """All conditions but one, put for a page or for a count."""
        clauses = self.clauses | self.counted if count else self.clauses
        return sa.and_(sa.true(), *(clause for key, clause in clauses.items() if key != without))


@dataclass(frozen=True)
class Found:
    """One page of a search.

    :ivar items: JSON texts of items, as stored
    :ivar keys: (collection, id) of each
    :ivar matched: how many scenes match in all, None when it was not asked or they are too many to count
    :ivar token: what the next page is asked with, None at the end
    :ivar before: the same of the page before, None at the beginning
    """

    items: list[str]
    keys: list[tuple[str, str]]
    matched: int | None
    token: str | None
    before: str | None = None


def parse(body: dict[str, Any], known: Mapping[str, Queryable] | None = None) -> Search:
    """Check the body of a STAC ``POST /search``.

    Takes ``bbox``, ``intersects``, ``datetime``, ``collections``, ``ids``, ``filter`` with ``filter-lang`` and
    ``filter-crs``, ``query``, ``sortby``, ``fields``, ``limit``, ``token``.

    :param known: what ``filter``, ``query`` and ``sortby`` may name; the columns by default
    :raises SearchError: names the member and says what is expected
    """
    if not isinstance(body, dict):
        raise SearchError("body", "Give a JSON object.")
    known = CORE if known is None else known
    clauses: dict[str, Any] = {}
    if body.get("bbox") is not None and body.get("intersects") is not None:
        raise SearchError("bbox", "Give bbox or intersects, not both.")
    for member, make in _MEMBERS.items():
        if body.get(member) is not None:
            clauses[member] = make(body[member])
    if body.get("filter-crs") not in (None, cql.CRS84):
        raise SearchError("filter-crs", f"Geometries are read in longitude and latitude only: {cql.CRS84}.")
    if body.get("filter") is not None:
        clauses["filter"] = cql.clause(body["filter"], body.get("filter-lang"), known)
    if body.get("query") is not None:
        clauses["query"] = conditions(body["query"], known)
    by = order.parse(body.get("sortby"), known)
    after = by.read(body.get("token"))
    counted = {} if body.get("bbox") is None else {"bbox": _bbox_counted(body["bbox"])}
    fields = parse_fields(body.get("fields"))
    return Search(clauses, _limit(body.get("limit")), by, after, fields, counted, tally.asked(body, platform_name))


def run(engine: Any, search: Search, count: bool = True, exact: bool = False) -> Found:
    """The page of scenes that a search asks for.

    :param engine: of the scene store
    :param count: False when the number of matches is not needed
    :param exact: True to count them all, however long it takes
    :raises SearchError: it takes too long
    """
    edge, by = search.after, search.order
    back = edge is not None and edge.back
    with engine.connect() as connection:
        try:
            # The newest of all stand first in an index.
            if search.clauses or by.name != NEWEST.name:
                _allow(connection, PAGE_WITHIN)
            rows, share = _rows(connection, search, back)
        except OperationalError as error:
            raise _too_long(error) from error
    matched_ = edge.matched if edge else len(rows) if len(rows) <= search.limit else None
    if count and matched_ is None and (exact or edge is None):
        matched_ = _count(engine, search, exact, share)
    page, more = rows[: search.limit], len(rows) > search.limit
    page = page[::-1] if back else page

    def neighbour(row: Any, backwards: bool) -> str:
        return by.token(Edge(tuple(row[len(_COLUMNS) :]), backwards, matched_))

    following = neighbour(page[-1], False) if page and (more or back) else None
    before = neighbour(page[0], True) if page and (more if back else edge is not None) else None
    return Found([row[0] for row in page], [(row[1], row[2]) for row in page], matched_, following, before)


_COLUMNS = (sa.cast(scenes.c.item, sa.Text), scenes.c.collection, scenes.c.id)
#: Conditions of an area, and those that the indexes of the order of time answer beside it.
_AREAS, _BESIDE = ("bbox", "intersects"), ("datetime", "collections")


def _rows(connection: Any, search: Search, back: bool) -> tuple[list[Any], float]:
    """Rows of a page, and one more when there is a next one: the columns above, then what they are sorted by.

    :returns: the rows, and the share of the scenes of its time and collections that match, 0 when it was not seen
    """
    edge, by, share = search.after, search.order, 0.0
    beyond = by.beyond(edge) if edge else sa.true()
    query = sa.select(*_COLUMNS, *(key.sql.label(f"k{n}") for n, key in enumerate(by.keys)))
    query = query.where(search.where(), beyond).order_by(*by.by(back)).limit(search.limit + 1)
    if by.name == NEWEST.name and any(name in search.clauses for name in _AREAS):
        found = looking.walk(connection, query, sa.and_(search.beside, beyond), by.by(back), search.limit + 1)
        if found.rows is not None:
            return found.rows, found.share
        share = found.share
    return connection.execute(query).all(), share


def _allow(connection: Any, milliseconds: int) -> None:
    connection.execute(sa.select(sa.func.set_config("statement_timeout", str(milliseconds), True)))


def _too_long(error: OperationalError) -> Exception:
    """What a cancelled statement means; any other failure of the store stays what it is."""
    if getattr(error.orig, "pgcode", None) != "57014":
        return error
    return SearchError("filter", "It takes too long. Give a bbox, a datetime or collections too.")


def _count(engine: Any, search: Search, exact: bool, share: float = 0.0) -> int | None:
    """How many scenes match, None when counting them all would take too long.

    :param share: about so many of the scenes of its time and collections do, 0 when nobody knows
    """
    if search.kept:
        with engine.connect() as connection:
            return tally.total(connection, search.kept)
    where = search.where(count=True)
    if exact:
        with engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(scenes).where(where)).scalar_one()
    some = sa.select(sa.literal(1)).select_from(scenes).where(where).limit(COUNT_UP_TO + 1).subquery()
    try:
        # Its own connection, within: when the time is over just after the answer, it is the rollback that is cancelled.
        with engine.connect() as connection:
            if share and share * looking.all_(connection) > COUNT_UP_TO * HOPELESS:
                return None
            _allow(connection, COUNT_WITHIN)
            found = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    except OperationalError as error:
        if isinstance(_too_long(error), SearchError):
            return None
        raise
    return found if found <= COUNT_UP_TO else None


def show(engine: Any, collection: str, item_id: str) -> str | None:
    """One scene's item as JSON text, None when there is none."""
    if "\x00" in collection + item_id:
        return None  # PostgreSQL takes no such text
    query = sa.select(sa.cast(scenes.c.item, sa.Text))
    query = query.where(scenes.c.collection == collection, scenes.c.id == item_id)
    with engine.connect() as connection:
        return connection.execute(query).scalar()


@dataclass(frozen=True)
class Beside:
    """What stands beside a page of scenes.

    :ivar years: how many scenes there are of each year (UTC), whatever period the search names; years in order
    :ivar platforms: the satellites that the store knows, in order
    :ivar collections: every collection, as :func:`all_collections`
    """

    years: list[tuple[int, int]]
    platforms: list[str]
    collections: list[dict[str, Any]]


def beside(engine: Any, search: Search) -> Beside:
    """What stands beside a page of scenes, by one connection: to have another one costs as much as to ask."""
    with engine.connect() as connection:
        if search.tallied:
            years, platforms = tally.years_and_platforms(connection, search.tallied)
        else:
            years, platforms = _years(connection, search), tally.platforms(connection)
        return Beside(years, platforms, _collections(connection))


def _years(connection: Any, search: Search) -> list[tuple[int, int]]:
    year = tally.KIND[0]
    query = sa.select(year, sa.func.count()).where(search.where("datetime", count=True))
    return [(row[0], row[1]) for row in connection.execute(query.group_by(year).order_by(year))]


def matched(engine: Any, search: Search) -> int:
    """How many scenes match."""
    return _count(engine, search, exact=True) or 0


def all_collections(engine: Any) -> list[dict[str, Any]]:
    """Every collection: ``id``, ``body`` (as its source gave it), ``asset_roles``, ``source_url``."""
    with engine.connect() as connection:
        return _collections(connection)


def _collections(connection: Any) -> list[dict[str, Any]]:
    query = sa.select(
        collections.c.id, collections.c.body, collections.c.asset_roles, collections.c.source_url
    ).order_by(collections.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def box_of(text: str | None) -> list[float] | None:
    """West, south, east, north of PostGIS's ``BOX(w s,e n)``."""
    if not text:
        return None
    return [float(value) for value in text[4:-1].replace(",", " ").split()]


def area_of(geometry: Any) -> Any:
    """SQL: the scene's footprint meets a GeoJSON geometry (longitude, latitude).

    :raises SearchError: no valid geometry, or one with too many points
    """
    return sa.func.ST_Intersects(scenes.c.geom, geometry_of(geometry, "intersects"))


def box(value: Any) -> list[tuple[float, float, float, float]]:
    """West, south, east, north of a ``bbox``: one box, or two when it crosses the antimeridian (west > east).

    :raises SearchError: it is no list of four or six numbers
    """
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
    if west <= east:
        return [(west, south, east, north)]
    return [(west, south, 180.0, north), (-180.0, south, east, north)]


def _boxes(value: Any) -> list[Any]:
    return [sa.func.ST_MakeEnvelope(*one, 4326) for one in box(value)]


def _bbox(value: Any) -> Any:
    return sa.or_(*(sa.func.ST_Intersects(scenes.c.geom, envelope) for envelope in _boxes(value)))


def _bbox_counted(value: Any) -> Any:
    """The same for a count: a footprint that lies whole in the box, as most do, needs no look at its points.

    Not for a page: PostgreSQL would take it for so rare that it sorts all that is found, instead of following the
    index of dates until the page is full.
    """
    shape = scenes.c.geom
    return sa.or_(*(
        sa.and_(shape.op("&&")(one), sa.or_(shape.op("@")(one), sa.func.ST_Intersects(shape, one)))
        for one in _boxes(value)
    ))  # fmt: skip


def moment_of(text: Any) -> dt.datetime | None:
    """A moment (UTC) written as RFC 3339 has it, None for anything else."""
    return parse_moment(text)[0] if isinstance(text, str) and _RFC3339.match(text) else None


def period(value: Any) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Start and end (UTC) of a ``datetime``; None for an open one, both the same for an instant.

    :raises SearchError: it is no RFC 3339 time and no interval
    """
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) not in (1, 2):
        raise SearchError("datetime", "Give an instant or an interval: 2020-01-01T00:00:00Z/..")
    moments = []
    for part in parts:
        moment = moment_of(part)
        if moment is None and part not in ("", ".."):
            raise SearchError("datetime", f"'{part}' is no RFC 3339 time. Write it as 2020-01-01T00:00:00Z.")
        moments.append(moment)
    start, end = moments[0], moments[-1]
    if not any(moments):
        raise SearchError("datetime", "An interval needs a start or an end.")
    if start and end and start > end:
        raise SearchError("datetime", "It ends before it starts.")
    return start, end


def _datetime(value: Any) -> Any:
    start, end = period(value)
    clauses = [] if end is None else [scenes.c.datetime <= end]
    if start is not None:
        clauses.append(scenes.c.end_datetime >= start)
    return sa.and_(*clauses)


def _names(member: str, column: Any) -> Any:
    def clause(value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SearchError(member, "Give a list of texts.")
        return column.in_([writable(name, member) for name in names]) if names else sa.true()

    return clause


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


_MEMBERS = {
    "bbox": _bbox,
    "intersects": area_of,
    "datetime": _datetime,
    "collections": _names("collections", scenes.c.collection),
    "ids": _names("ids", scenes.c.id),
}
