"""Footprints as vector tiles, made by PostGIS.

Up to the zoom of the grid (extents.py) footprints would be a blot of megabytes: counts are drawn instead.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import extents
from ckanext.dinamis_relais.imagery.extents import CELLS
from ckanext.dinamis_relais.imagery.model import KEYSET, grid, scenes
from ckanext.dinamis_relais.imagery.search import Search
from ckanext.dinamis_relais.imagery.tally import Asked

MAX_ZOOM = 18
#: Footprints of one tile, the newest first.
MAX_FOOTPRINTS = 3000


def tile(engine: Any, search: Search, zoom: int, column: int, row: int) -> bytes:
    """One tile (layer ``scenes``) in the usual scheme of web maps, EPSG:3857.

    :param search: which scenes; its page does not matter
    :returns: Mapbox Vector Tile, empty when nothing is there
    """
    envelope = sa.func.ST_TileEnvelope(zoom, column, row)
    inside = sa.and_(scenes.c.geom.op("&&")(sa.func.ST_Transform(envelope, 4326)), search.where())
    with engine.connect() as connection:
        if zoom > extents.ZOOM:
            return _mvt(connection, _footprints(envelope, inside))
        x, y = extents.cell(zoom)
        looked = sa.select(x, y, sa.func.count().label("count")).where(inside).group_by(x, y)
        kept = _kept(search, zoom)
        made = b"" if kept is None else _mvt(connection, _cells(envelope, kept, zoom, column, row))
        # A collection whose first listing has not ended is not in what is kept.
        return made or _mvt(connection, _cells(envelope, looked, zoom, column, row))


def _mvt(connection: Any, content: Any) -> bytes:
    query = sa.select(sa.func.ST_AsMVT(sa.text("content.*"), "scenes", 4096, "shape")).select_from(content)
    return bytes(connection.execute(query).scalar() or b"")


def _footprints(envelope: Any, inside: Any) -> Any:
    shape = sa.func.ST_AsMVTGeom(sa.func.ST_Transform(scenes.c.geom, 3857), envelope)
    key = scenes.c.collection + "/" + scenes.c.id
    query = sa.select(shape.label("shape"), key.label("key")).where(inside)
    return query.order_by(*KEYSET).limit(MAX_FOOTPRINTS).subquery("content")


def _kept(search: Search, zoom: int) -> Any:
    """SQL: cells with their number of scenes, from what is kept; None when the search asks for parts of collections."""
    wanted = search.kept
    if wanted is None or wanted != Asked(wanted.collections):
        return None
    step = 2.0 ** (extents.ZOOM - zoom)
    x, y = (sa.func.floor(value / step).label(value.name) for value in (grid.c.x, grid.c.y))
    query = sa.select(x, y, sa.func.sum(grid.c.count).label("count")).group_by(x, y)
    return query if wanted.collections is None else query.where(grid.c.collection.in_(wanted.collections))


def _cells(envelope: Any, counted: Any, zoom: int, column: int, row: int) -> Any:
    """Cells of one tile, each with the number of scenes whose box has its centre in it.

    :param counted: SQL: ``x``, ``y``, ``count`` of these cells and of others
    """
    cells, side, half = counted.subquery("cells"), extents.side(zoom), CELLS * 2**zoom // 2
    x, y = cells.c.x, cells.c.y
    west, north = CELLS * column - half, half - CELLS * row
    shape = sa.func.ST_AsMVTGeom(
        sa.func.ST_MakeEnvelope(x * side, y * side, (x + 1) * side, (y + 1) * side, 3857), envelope
    )
    own = sa.and_(x.between(west, west + CELLS - 1), y.between(north - CELLS, north - 1))
    return sa.select(shape.label("shape"), cells.c.count.label("count")).where(own).subquery("content")
