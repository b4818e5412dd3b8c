"""Areas of a search, as PostGIS geometries in longitude and latitude (EPSG:4326)."""

from __future__ import annotations

from typing import Any

import orjson
import shapely
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.queryables import SearchError

#: Points of a search area. More is a mistake, and would cost every scene a long comparison.
MAX_POINTS = 50_000


def geometry_of(geometry: Any, member: str) -> Any:
    """SQL of a GeoJSON geometry.

    :param member: member of the search that holds it, for messages
    :raises SearchError: no valid geometry, or one with too many points
    """
    try:
        shape = shapely.from_geojson(orjson.dumps(geometry))
        points = shapely.get_num_coordinates(shape)
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise SearchError(member, f"It is no GeoJSON geometry: {error}") from error
    if shape is None or shape.is_empty or not 0 < points <= MAX_POINTS:
        raise SearchError(member, f"Give a GeoJSON geometry of 1 to {MAX_POINTS} points.")
    valid = shape if shape.is_valid else shapely.make_valid(shape)
    return sa.func.ST_GeomFromWKB(sa.literal(shapely.to_wkb(shapely.force_2d(valid)), sa.LargeBinary), 4326)
