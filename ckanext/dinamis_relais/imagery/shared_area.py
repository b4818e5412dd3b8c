"""The area of a file as it stands in an address: few enough points, and what that leaves out. Pure."""

from __future__ import annotations

from typing import Any

import shapely
from shapely.geometry import shape

#: Points and rings that an address holds.
POINTS, RINGS = 200, 20
#: Decimals of a degree: some ten metres, and at most 17 letters a point.
DECIMALS = 4


def written(geometry: dict[str, Any]) -> tuple[str, bool]:
    """Polygons as ``filters.outlines`` reads them, with as few points as an address can hold.

    Holes are left out, and of many parts the largest are kept: who searches sees on the map what is searched.

    :param geometry: GeoJSON ``Polygon`` or ``MultiPolygon`` (longitude, latitude)
    :returns: the text, and whether more than the last decimals was left out
    """
    whole = shape(geometry)
    parts = list(getattr(whole, "geoms", [whole]))
    kept = sorted(parts, key=lambda one: -one.area)[:RINGS]
    outline = shapely.MultiPolygon([shapely.Polygon(one.exterior) for one in kept])
    simplified = len(kept) < len(parts) or any(one.interiors for one in kept)
    tolerance = 10.0**-DECIMALS
    found = outline
    while shapely.get_num_coordinates(found) > POINTS + len(kept):
        found, simplified = outline.simplify(tolerance), True
        tolerance *= 1.5
    rings = [one.exterior.coords[:-1] for one in getattr(found, "geoms", [found]) if not one.is_empty]
    return "~".join("_".join(_number(value) for point in ring for value in point[:2]) for ring in rings), simplified


def _number(value: float) -> str:
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
