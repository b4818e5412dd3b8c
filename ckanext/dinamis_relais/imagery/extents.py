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

#: SQL: what a row of ``collection`` holds; null when that is nothing.
_MEASURED = (
    sa.select(sa.func.json_build_object(
        "start", sa.func.min(scenes.c.datetime), "end", sa.func.max(scenes.c.end_datetime),
        "bbox", sa.func.json_build_array(
            sa.func.min(sa.func.ST_XMin(scenes.c.geom)), sa.func.min(sa.func.ST_YMin(scenes.c.geom)),
            sa.func.max(sa.func.ST_XMax(scenes.c.geom)), sa.func.max(sa.func.ST_YMax(scenes.c.geom)),
        ),
    ))
    .where(scenes.c.collection == collections.c.id).having(sa.func.count() > 0)
    .correlate(collections).scalar_subquery()
)  # fmt: skip


def note(connection: Any, mine: Any) -> None:
    """Measure some collections; of those that lost all their scenes nothing is left.

    :param mine: SQL condition of the rows of ``collection``
    """
    # First, since it holds the rows: of two parts of a collection that end at once, one waits here for the other.
    connection.execute(collections.update().where(mine).values(held=_MEASURED))
    forget(connection, mine)
    x, y = cell(ZOOM)
    own = scenes.c.collection.in_(sa.select(collections.c.id).where(mine))
    counted = sa.select(scenes.c.collection, x, y, sa.func.count()).where(own).group_by(scenes.c.collection, x, y)
    connection.execute(grid.insert().from_select(["collection", "x", "y", "count"], counted))


def forget(connection: Any, mine: Any) -> None:
    """Drop the grid of some collections.

    :param mine: SQL condition of the rows of ``collection``
    """
    connection.execute(grid.delete().where(grid.c.collection.in_(sa.select(collections.c.id).where(mine))))


def side(zoom: int) -> float:
    """Metres (EPSG:3857) of a cell's side."""
    return 2 * math.pi * _RADIUS / 2**zoom / CELLS


def cell(zoom: int) -> tuple[Any, Any]:
    """SQL: the cell of a zoom that the centre of a footprint's box lies in, counted east and north from 0°, 0°.

    By Mercator's formula on a sphere, which EPSG:3857 is: PostGIS's own transformation is made for exact points and
    takes twice as long, and a low zoom looks at each scene there is.
    """
    geom = scenes.c.geom
    longitude = (sa.func.ST_XMin(geom) + sa.func.ST_XMax(geom)) / 2
    latitude = (sa.func.ST_YMin(geom) + sa.func.ST_YMax(geom)) / 2
    inside = sa.func.least(sa.func.greatest(latitude, -85.05), 85.05)
    east, north = sa.func.radians(longitude), sa.func.ln(sa.func.tan(sa.func.radians(45 + inside / 2)))
    step = side(zoom) / _RADIUS
    return sa.func.floor(east / step).label("x"), sa.func.floor(north / step).label("y")


def read(engine: Any) -> dict[str, dict[str, Any]]:
    """What each collection holds: ``count``, ``bbox`` (west, south, east, north), ``start``, ``end`` (UTC).

    The count is that of now; the rest is of the last complete listing, or measured now when there was none yet.
    """
    query = sa.select(collections.c.id, sa.func.coalesce(collections.c.held, _MEASURED, type_=sa.JSON).label("held"))
    with engine.connect() as connection:
        held = {row.id: row.held for row in connection.execute(query)}
        counts = tally.by_collection(connection)
    return {
        name: {"count": counts[name], "bbox": known["bbox"],
               **{end: parse_moment(known[end])[0] for end in ("start", "end")}}
        for name, known in held.items() if known and counts.get(name)
    }  # fmt: skip
