"""Footprints as vector tiles, made by PostGIS."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.model import KEYSET, scenes
from ckanext.dinamis_relais.imagery.search import Search

MAX_ZOOM = 18
#: Below this zoom footprints would be a blot of megabytes: a grid of counts is drawn instead.
GRID_BELOW = 7
#: Cells of the grid along a tile's side.
CELLS = 16
#: Footprints of one tile, the newest first.
MAX_FOOTPRINTS = 3000


def tile(engine: Any, search: Search, zoom: int, column: int, row: int) -> bytes:
    """One tile (layer ``scenes``) in the usual scheme of web maps, EPSG:3857.

    :param search: which scenes; its page does not matter
    :returns: Mapbox Vector Tile, empty when nothing is there
    """
    envelope = sa.func.ST_TileEnvelope(zoom, column, row)
    degrees = sa.func.ST_Transform(envelope, 4326)
    inside = sa.and_(scenes.c.geom.op("&&")(degrees), search.where())
    content = _grid(envelope, inside, zoom) if zoom < GRID_BELOW else _footprints(envelope, inside)
    query = sa.select(sa.func.ST_AsMVT(sa.text("content.*"), "scenes", 4096, "shape")).select_from(content)
    with engine.connect() as connection:
        return bytes(connection.execute(query).scalar() or b"")


def _footprints(envelope: Any, inside: Any) -> Any:
    shape = sa.func.ST_AsMVTGeom(sa.func.ST_Transform(scenes.c.geom, 3857), envelope)
    key = scenes.c.collection + "/" + scenes.c.id
    query = sa.select(shape.label("shape"), key.label("key")).where(inside)
    return query.order_by(*KEYSET).limit(MAX_FOOTPRINTS).subquery("content")


def _grid(envelope: Any, inside: Any, zoom: int) -> Any:
    """Cells with the number of scenes whose centre they hold."""
    side = 2 * 20037508.342789244 / 2**zoom / CELLS
    centre = sa.func.ST_Transform(sa.func.ST_Centroid(scenes.c.geom), 3857)
    x = sa.func.floor(sa.func.ST_X(centre) / side)
    y = sa.func.floor(sa.func.ST_Y(centre) / side)
    cells = (
        sa.select(x.label("x"), y.label("y"), sa.func.count().label("count")).where(inside).group_by(x, y)
    ).subquery("cells")  # fmt: skip
    cell = sa.func.ST_MakeEnvelope(
        cells.c.x * side, cells.c.y * side, (cells.c.x + 1) * side, (cells.c.y + 1) * side, 3857
    )
    shape = sa.func.ST_AsMVTGeom(cell, envelope)
    return sa.select(shape.label("shape"), cells.c.count.label("count")).subquery("content")
