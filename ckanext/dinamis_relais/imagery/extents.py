"""Where and when the scenes of each collection lie, and how many in each cell of a grid of the world.

Noted at the end of each listing that changed a scene: neither an answer nor a map of all looks at each of a million.
"""

from __future__ import annotations

import math
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import tally
from ckanext.dinamis_relais.imagery.model import collections, grid, scenes
from ckanext.dinamis_relais.imagery.moments import parse_moment

#: The zoom of web maps of whose tiles the cells of the grid are parts.
ZOOM = 6
#: Cells of the grid along a tile's side.
CELLS = 16
_RADIUS = 6378137.0

_EDGES = ("XMin", "YMin", "XMax", "YMax")


def _held(rows: Any, kept: Any) -> Any:
    """SQL: what a row of ``collection`` holds; null when that is nothing.

    :param rows: has ``collection`` and ``kept`` of scenes, or of groups of them
    :param kept: columns: start, end, and the edges west, south, east, north
    """
    start, end, west, south, east, north = kept
    least, most = sa.func.min, sa.func.max
    box = sa.func.json_build_array(least(west), least(south), most(east), most(north))
    made = sa.func.json_build_object("start", least(start), "end", most(end), "bbox", box)
    query = sa.select(made).where(rows.c.collection == collections.c.id).having(sa.func.count() > 0)
    return query.correlate(collections).scalar_subquery()


def note(connection: Any, mine: Any) -> None:
    """Measure some collections; of those that lost all their scenes nothing is left.

    :param mine: SQL condition of the rows of ``collection``
    """
    # First, since it holds the rows: of two parts of a collection that end at once, one waits here for the other.
    connection.execute(sa.select(collections.c.id).where(mine).with_for_update())
    forget(connection, mine)
    cells = _counted(scenes.c.collection.in_(sa.select(collections.c.id).where(mine)))
    names = ["collection", "x", "y", "count"]
    kept = grid.insert().from_select(names, sa.select(*(cells.c[name] for name in names))).cte("kept")
    measured = _held(cells, [cells.c[name] for name in ("start", "end", *_EDGES)])
    connection.execute(collections.update().where(mine).values(held=measured).add_cte(kept))


def _counted(own: Any) -> Any:
    """SQL: by collection and cell, how many scenes there are, and what they cover; each scene is looked at once."""
    # PostgreSQL would work a box out anew for each thing that is asked of it, did OFFSET not keep it from doing so.
    box = sa.func.Box3D(scenes.c.geom).label("box")
    query = sa.select(scenes.c.collection, scenes.c.datetime, scenes.c.end_datetime, box).where(own)
    each = query.offset(0).subquery("each")
    query = sa.select(each.c.collection, each.c.datetime, each.c.end_datetime, *_edges(each.c.box))
    apart = query.offset(0).subquery("apart")
    x, y = _cell(ZOOM, *(apart.c[edge] for edge in _EDGES))
    least, most = sa.func.min, sa.func.max
    ends = [made(apart.c[edge]).label(edge) for edge, made in zip(_EDGES, (least, least, most, most), strict=True)]
    start, end = least(apart.c.datetime).label("start"), most(apart.c.end_datetime).label("end")
    query = sa.select(apart.c.collection, x, y, sa.func.count().label("count"), start, end, *ends)
    return query.group_by(apart.c.collection, x, y).cte("cells")


def forget(connection: Any, mine: Any) -> None:
    """Drop the grid of some collections.

    :param mine: SQL condition of the rows of ``collection``
    """
    connection.execute(grid.delete().where(grid.c.collection.in_(sa.select(collections.c.id).where(mine))))


def side(zoom: int) -> float:
    """Metres (EPSG:3857) of a cell's side."""
    return 2 * math.pi * _RADIUS / 2**zoom / CELLS


def cell(zoom: int) -> tuple[Any, Any]:
    """SQL: the cell of a zoom that the centre of a footprint's box lies in, counted east and north from 0°, 0°."""
    return _cell(zoom, *_edges(scenes.c.geom))


def _edges(shape: Any) -> list[Any]:
    return [getattr(sa.func, f"ST_{edge}")(shape).label(edge) for edge in _EDGES]


def _cell(zoom: int, west: Any, south: Any, east: Any, north: Any) -> tuple[Any, Any]:
    """By Mercator's formula on a sphere, which EPSG:3857 is.

    PostGIS's own transformation is made for exact points and takes twice as long, and a low zoom looks at each scene
    there is.
    """
    longitude, latitude = (west + east) / 2, (south + north) / 2
    inside = sa.func.least(sa.func.greatest(latitude, -85.05), 85.05)
    step = side(zoom) / _RADIUS
    x, y = sa.func.radians(longitude) / step, sa.func.ln(sa.func.tan(sa.func.radians(45 + inside / 2))) / step
    return sa.func.floor(x).label("x"), sa.func.floor(y).label("y")


def read(engine: Any) -> dict[str, dict[str, Any]]:
    """What each collection holds: ``count``, ``bbox`` (west, south, east, north), ``start``, ``end`` (UTC).

    The count is that of now; the rest is of the last complete listing, or measured now when there was none yet.
    """
    measured = _held(scenes, [scenes.c.datetime, scenes.c.end_datetime, *_edges(scenes.c.geom)])
    query = sa.select(collections.c.id, sa.func.coalesce(collections.c.held, measured, type_=sa.JSON).label("held"))
    with engine.connect() as connection:
        held = {row.id: row.held for row in connection.execute(query)}
        counts = tally.by_collection(connection)
    return {
        name: {"count": counts[name], "bbox": known["bbox"],
               **{end: parse_moment(known[end])[0] for end in ("start", "end")}}
        for name, known in held.items() if known and counts.get(name)
    }  # fmt: skip
