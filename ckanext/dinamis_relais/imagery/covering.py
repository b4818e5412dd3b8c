"""Which scenes of the store cover a territory, year by year; each year's answer is kept until the catalogue changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import numpy as np
import orjson
import shapely
import sqlalchemy as sa
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError
from shapely.geometry import shape
from sqlalchemy.exc import OperationalError

from ckanext.dinamis_relais.imagery import choosing, coverage, describe
from ckanext.dinamis_relais.imagery.model import runs, scenes
from ckanext.dinamis_relais.imagery.territories import Territory

#: Raised when the rules change what they answer: what was kept is then computed anew.
RULE = 1
#: Scenes of one year that are compared: the clearest. More than this over one territory in one year is no series.
MOST = 2_000
#: Years that are looked at, the newest.
MOST_YEARS = 30
#: Seconds after which the years that are left are put off to the next call.
PATIENCE = 10.0
#: Seconds that the database may take for the footprints.
QUERY_SECONDS = 10
#: Seconds that an answer is kept.
KEEP = 30 * 24 * 3600
#: Degrees: detail of footprints and holes that no map of a territory shows.
DETAIL = 1e-4

_YEAR = sa.cast(sa.func.date_part("year", scenes.c.datetime), sa.Integer)


class TooMuch(Exception):
    """The database did not give the footprints within its time."""


def mark(connection: Any) -> str:
    """A text that changes whenever a harvest, or the clearing of a source, changed a scene."""
    changes = runs.c.created + runs.c.changed + runs.c.vanished
    query = sa.select(sa.func.count(), sa.func.sum(changes), sa.func.max(runs.c.updated)).where(changes > 0)
    count, changed, moment = connection.execute(query).one()
    return f"{count}-{changed or 0}-{moment.timestamp() if moment else 0}"


def years(connection: Any) -> list[int]:
    """Every year from the catalogue's first to its last, those without scenes too; the newest of them when many."""
    first, last = connection.execute(sa.select(sa.func.min(scenes.c.datetime), sa.func.max(scenes.c.datetime))).one()
    return list(range(max(first.year, last.year - MOST_YEARS + 1), last.year + 1)) if first else []


def of_territory(
    engine: Any, territory: Territory, asked: Sequence[int] | None = None, patience: float = PATIENCE
) -> list[dict[str, Any]]:
    """What covers a territory in each year.

    :param territory: with its outline
    :param asked: years (UTC); all that the catalogue has by default
    :param patience: seconds; a year that is not reached has the share None
    :returns: one entry a year as :func:`_answer` makes it, in the order of years
    :raises TooMuch: the database did not answer in time
    """
    with engine.connect() as connection:
        version = mark(connection)
        wanted = sorted(set(asked)) if asked is not None else years(connection)
    key = f"dinamis:coverage:{tk.config.get('ckan.site_id', '')}:{RULE}:{version}:{territory.kind}:{territory.code}"
    found = _kept(key, wanted)
    missing = [year for year in wanted if year not in found]
    if missing:
        until = time.monotonic() + patience
        place = coverage.territory(shape(territory.outline or {}))
        rows = _footprints(engine, place, missing)
        # The newest first: what a person looks at, should the time not do for all.
        for year in reversed(missing):
            if time.monotonic() < until:
                found[year] = _answer(engine, place, year, rows.get(year, []))
                _keep(f"{key}:{year}", found[year])
    return [found.get(year) or {"year": year, "share": None} for year in wanted]


def _footprints(engine: Any, place: coverage.Territory, wanted: list[int]) -> dict[int, list[Any]]:
    """Scenes around a territory by year: the clearest of each, with how many there are."""
    hull = coverage.to_degrees(place.shape.convex_hull, place.latitude)
    around = sa.func.ST_GeomFromWKB(sa.literal(shapely.to_wkb(hull), sa.LargeBinary), 4326)
    order = (scenes.c.cloud.nulls_last(), scenes.c.datetime.desc(), scenes.c.collection, scenes.c.id)
    inner = sa.select(
        _YEAR.label("year"), scenes.c.collection, scenes.c.id, scenes.c.datetime, scenes.c.cloud,
        sa.func.ST_AsBinary(scenes.c.geom).label("wkb"), sa.func.count().over(partition_by=_YEAR).label("total"),
        sa.func.row_number().over(partition_by=_YEAR, order_by=order).label("rank"),
    ).where(sa.func.ST_Intersects(scenes.c.geom, around), _YEAR.in_(wanted)).subquery()  # fmt: skip
    found: dict[int, list[Any]] = {}
    for row in in_time(engine, sa.select(inner).where(inner.c.rank <= MOST)):
        found.setdefault(row.year, []).append(row)
    return found


def in_time(engine: Any, query: Any, seconds: float = QUERY_SECONDS) -> list[Any]:
    """Rows of a query that may take so long and no longer.

    :raises TooMuch: it took longer
    """
    with engine.begin() as connection:
        connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        try:
            return connection.execute(query).all()
        except OperationalError as error:
            if getattr(error.orig, "pgcode", "") != "57014":  # query_canceled
                raise
            raise TooMuch from error


def _answer(engine: Any, place: coverage.Territory, year: int, rows: list[Any]) -> dict[str, Any]:
    """One year of a territory.

    :returns: ``year``; ``share`` covered, 0 to 1; ``count`` of scenes that cover any of it; ``compared`` is False when
        there were more than :data:`MOST` around; ``scenes`` (the fewest that cover it, what brings most first),
        ``best`` and ``latest``, each with ``collection``, ``id``, ``datetime``, ``cloud``, ``platform``, ``picture``,
        ``synthetic``, ``share``, ``geometry``; ``cloud`` of the chosen, in percent, weighted by their shares, None when
        none knows its own; ``holes`` (GeoJSON features with ``direction`` and ``area_km2``, the largest first),
        ``hole_km2`` in all
    """
    shapes = shapely.from_wkb(np.array([bytes(row.wkb) for row in rows], dtype=object))
    candidates = [choosing.Candidate((row.collection, row.id), row.cloud, row.datetime.timestamp()) for row in rows]
    found = choosing.cover(place, candidates, shapes)
    named = {n: rows[n] for n in (*found.chosen, found.best, found.latest) if n is not None}
    items = _items(engine, [(row.collection, row.id) for row in named.values()])
    shares = dict(zip(found.chosen, found.shares, strict=True))

    def scene(number: int | None) -> dict[str, Any] | None:
        if number is None or (named[number].collection, named[number].id) not in items:
            return None
        share = shares.get(number)
        if share is None:
            share = coverage.clips(place, shapes[number : number + 1])[0].area / place.area
        drawn = coverage.rounded(shapely.simplify(shapes[number], DETAIL))
        return {**items[named[number].collection, named[number].id], "share": round(share, 4), "geometry": drawn}

    chosen = [one for one in map(scene, found.chosen) if one]
    holes = [_hole(hole, place) for hole in found.holes]
    return {
        "year": year, "share": round(found.share, 5), "count": found.touching,
        "compared": not rows or rows[0].total <= MOST, "scenes": chosen, "best": scene(found.best),
        "latest": scene(found.latest), "cloud": _cloud(chosen),
        "holes": {"type": "FeatureCollection", "features": holes},
        "hole_km2": round(sum(hole.area for hole in found.holes) / 1e6, 3),
    }  # fmt: skip


def _items(engine: Any, keys: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """What is said of some scenes, in no language yet."""
    query = sa.select(scenes.c.collection, scenes.c.id, scenes.c.platform, scenes.c.item)
    query = query.where(sa.tuple_(scenes.c.collection, scenes.c.id).in_(keys))
    with engine.connect() as connection:
        rows = connection.execute(query).all() if keys else []
    return {
        (row.collection, row.id): {
            "collection": row.collection, "id": row.id,
            "datetime": row.item["properties"].get("datetime") or row.item["properties"].get("start_datetime"),
            "cloud": row.item["properties"].get("eo:cloud_cover"), "platform": row.platform,
            "picture": describe.picture(row.item),
            "synthetic": bool(row.item["properties"].get(describe.SYNTHETIC)),
        }
        for row in rows
    }  # fmt: skip


def _cloud(chosen: list[dict[str, Any]]) -> float | None:
    known = [(one["cloud"], one["share"]) for one in chosen if isinstance(one["cloud"], (int, float))]
    weight = sum(share for _cloud, share in known)
    return round(sum(cloud * share for cloud, share in known) / weight, 1) if weight else None


def _hole(hole: choosing.Hole, place: coverage.Territory) -> dict[str, Any]:
    drawn = coverage.rounded(coverage.to_degrees(hole.shape, place.latitude))
    properties = {"direction": hole.direction, "area_km2": round(hole.area / 1e6, 3)}
    return {"type": "Feature", "properties": properties, "geometry": drawn}


def _kept(key: str, wanted: list[int]) -> dict[int, dict[str, Any]]:
    try:
        values: Any = connect_to_redis().mget([f"{key}:{year}" for year in wanted]) if wanted else []
    except RedisError:
        return {}
    return {year: orjson.loads(value) for year, value in zip(wanted, values, strict=True) if value}


def _keep(key: str, answer: dict[str, Any]) -> None:
    try:
        connect_to_redis().set(key, orjson.dumps(answer), ex=KEEP)
    except RedisError:
        return
