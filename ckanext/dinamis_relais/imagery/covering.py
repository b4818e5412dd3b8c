"""Which scenes of the store cover a territory, year by year; a year is computed anew when scenes around it changed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from sqlalchemy.exc import OperationalError

from ckanext.dinamis_relais.imagery import choosing, coverage, describe
from ckanext.dinamis_relais.imagery.kept_coverage import Kept, shortened
from ckanext.dinamis_relais.imagery.model import runs, scenes
from ckanext.dinamis_relais.imagery.territories import Territory

#: Scenes of one year that are compared: the clearest. More than this over one territory in one year is no series.
MOST = 2_000
#: Years that are looked at, the newest.
MOST_YEARS = 30
#: Seconds after which the years that are left are put off to the next call.
PATIENCE = 10.0
#: Seconds that the database may take for the footprints of a year, or for the fingerprints of all.
QUERY_SECONDS = 10
#: Seconds without a page after which a listing is taken for one that broke off.
ALIVE = 300.0
#: Degrees: detail of footprints and holes that no map of a territory shows.
DETAIL = 1e-4
#: Which years are given whole, besides a single one by its number: all, the newest with an image, none.
ALL, NEWEST, NONE = "all", "newest", "none"

_YEAR = sa.cast(sa.func.date_part("year", scenes.c.datetime), sa.Integer)


class TooMuch(Exception):
    """The database did not answer within its time."""


def mark(connection: Any) -> str:
    """A text that changes whenever a harvest, or the clearing of a source, changed a scene."""
    changes = runs.c.created + runs.c.changed + runs.c.vanished
    query = sa.select(sa.func.count(), sa.func.sum(changes), sa.func.max(runs.c.updated)).where(changes > 0)
    count, changed, moment = connection.execute(query).one()
    return f"{count}-{changed or 0}-{moment.timestamp() if moment else 0}"


def listing(connection: Any) -> bool:
    """Whether a harvest is listing scenes now: the mark will soon be another."""
    now_ = sa.and_(runs.c.state == "running", runs.c.updated > sa.func.now() - dt.timedelta(seconds=ALIVE))
    return connection.execute(sa.select(runs.c.id).where(now_).limit(1)).first() is not None


def of_territory(
    engine: Any,
    territory: Territory,
    asked: Sequence[int] | None = None,
    whole: str | int = ALL,
    patience: float = PATIENCE,
    looked_at: bool = True,
) -> list[dict[str, Any]]:
    """What covers a territory in each year.

    :param territory: with its outline
    :param asked: years (UTC); by default all from the catalogue's first to its last, those without scenes too, the
        newest :data:`MOST_YEARS` of them when many
    :param whole: which years are given whole: :data:`ALL`, :data:`NEWEST`, :data:`NONE`, or one by its number
    :param patience: seconds, after which no other year is begun; one that is not reached has the share None
    :param looked_at: whether a person asks, for whom what is kept is kept longer
    :returns: one entry a year as :func:`_answer` makes it, or without what :data:`kept_coverage.WHOLE` names, in the
        order of years
    :raises TooMuch: the database did not answer in time
    """
    kept = Kept(territory, looked_at)
    with engine.connect() as connection:
        version = mark(connection)
    if kept.mark != version:
        kept.look(version, *_look(engine, territory))
    wanted = sorted(set(asked)) if asked is not None else _years(kept.span)
    made = _computed(engine, territory, kept, [year for year in wanted if kept.short(year) is None], patience)
    found = {year: made.get(year) or kept.short(year) or {"year": year, "share": None} for year in wanted}
    shown = _shown(found, whole)
    full = {**kept.whole(year for year in shown if year not in made), **made}
    # Redis may have let go of a whole year and not of the short one.
    full |= _computed(engine, territory, kept, [year for year in shown if year not in full], patience)
    return [full[year] if year in shown and year in full else shortened(found[year]) for year in wanted]


def _years(span: tuple[int, int] | None) -> list[int]:
    return list(range(max(span[0], span[1] - MOST_YEARS + 1), span[1] + 1)) if span else []


def _shown(found: dict[int, dict[str, Any]], whole: str | int) -> list[int]:
    """The years that are given whole, of those that there was time for."""
    computed = [year for year, one in found.items() if one["share"] is not None]
    if whole == NEWEST:
        with_image = [year for year in computed if found[year]["share"]]
        return with_image[-1:] or computed[-1:]
    return [year for year in computed if whole in (ALL, year)]


def _computed(
    engine: Any, territory: Territory, kept: Kept, missing: list[int], patience: float
) -> dict[int, dict[str, Any]]:
    """Years computed and kept, the newest first: what a person looks at, should the time not do for all."""
    found: dict[int, dict[str, Any]] = {}
    if missing:
        until = time.monotonic() + patience
        place = coverage.territory(shape(territory.outline or {}))
        for year in sorted(missing, reverse=True):
            if not found or time.monotonic() < until:
                rows = _footprints(engine, place, year) if kept.prints.get(year) else []
                found[year] = _answer(engine, territory, place, year, rows)
                kept.keep(found[year])
    return found


def _look(engine: Any, territory: Territory) -> tuple[tuple[int, int] | None, dict[int, str]]:
    """First and last year of the catalogue, and of each year a fingerprint of the scenes around a territory.

    It is the same whatever their order, and another as soon as a source gives one of them otherwise (``hash``).
    """
    around = sa.func.ST_MakeEnvelope(*shape(territory.outline or {}).bounds, 4326)
    # Of the boxes only: an exact comparison would take longer than it spares.
    query = sa.select(
        _YEAR.label("year"), sa.func.count().label("count"),
        sa.func.sum(sa.func.uuid_hash_extended(scenes.c.hash, 0)).label("sum"),
    ).where(scenes.c.geom.op("&&")(around)).group_by(_YEAR)  # fmt: skip
    prints = {row.year: f"{row.count}-{row.sum}" for row in in_time(engine, query)}
    ((first, last),) = in_time(engine, sa.select(sa.func.min(scenes.c.datetime), sa.func.max(scenes.c.datetime)))
    return (first.year, last.year) if first else None, prints


def _footprints(engine: Any, place: coverage.Territory, year: int) -> list[Any]:
    """Scenes of a year around a territory, the clearest first; one more than :data:`MOST` when there are more."""
    hull = coverage.to_degrees(place.shape.convex_hull, place.latitude)
    around = sa.func.ST_GeomFromWKB(sa.literal(shapely.to_wkb(hull), sa.LargeBinary), 4326)
    start, end = (dt.datetime(one, 1, 1, tzinfo=dt.timezone.utc) for one in (year, year + 1))
    query = sa.select(
        scenes.c.collection, scenes.c.id, scenes.c.datetime, scenes.c.cloud,
        sa.func.ST_AsBinary(scenes.c.geom).label("wkb"),
    ).where(
        sa.func.ST_Intersects(scenes.c.geom, around), scenes.c.datetime >= start, scenes.c.datetime < end
    )  # fmt: skip
    order = (scenes.c.cloud.nulls_last(), scenes.c.datetime.desc(), scenes.c.collection, scenes.c.id)
    return in_time(engine, query.order_by(*order).limit(MOST + 1))


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


def _answer(
    engine: Any, territory: Territory, place: coverage.Territory, year: int, around: list[Any]
) -> dict[str, Any]:
    """One year of a territory.

    :param place: the same in its plane
    :param around: rows of :func:`_footprints`
    :returns: ``year``; ``share`` covered, 0 to 1; ``count`` of scenes that cover any of it; ``compared`` is False when
        there were more than :data:`MOST` around; ``scenes`` (the fewest that cover it, what brings most first),
        ``best`` and ``latest``, each with ``collection``, ``id``, ``datetime``, ``cloud``, ``platform``, ``picture``,
        ``synthetic``, ``share``, ``geometry``, of ``scenes`` also ``label``; ``scene_count``; ``cloud`` of the chosen,
        in percent, weighted by their shares, None when none knows its own; ``holes`` (GeoJSON features with
        ``direction`` and ``area_km2``, the largest first), ``hole_count``, ``hole_km2`` in all
    """
    rows = around[:MOST]
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
    for one, point in zip(chosen, labels(territory.outline or {}, chosen), strict=True):
        one["label"] = point
    holes = [_hole(hole, place) for hole in found.holes]
    return {
        "year": year, "share": round(found.share, 5), "count": found.touching,
        "compared": len(around) <= MOST, "scenes": chosen, "scene_count": len(chosen),
        "best": scene(found.best), "latest": scene(found.latest), "cloud": _cloud(chosen),
        "holes": {"type": "FeatureCollection", "features": holes}, "hole_count": len(holes),
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


def labels(outline: dict[str, Any], chosen: list[dict[str, Any]]) -> list[list[float]]:
    """Where the number of each scene stands: a point of the territory that no scene before it covers, if there is one.

    :param outline: GeoJSON geometry of the territory
    :param chosen: scenes with their footprint as ``geometry``, in order
    :returns: longitude and latitude of each
    """
    left = coverage.surface(shape(outline))
    points = []
    for scene in chosen:
        footprint = coverage.surface(shape(scene["geometry"]))
        own = coverage.surface(footprint.intersection(left))
        parts = sorted(shapely.get_parts(own), key=lambda part: part.area)
        point = (parts[-1] if parts else footprint).representative_point()
        points.append([round(point.x, 5), round(point.y, 5)])
        left = coverage.surface(left.difference(footprint))
    return points
