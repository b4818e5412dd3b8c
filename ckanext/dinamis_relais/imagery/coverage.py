"""Territories and footprints in a plane of true areas. Pure.

Areas are measured in an equal-area projection: Lambert's cylinder that touches at the territory's own latitude
(``+proj=cea``). Meridians and parallels, and so the sides of most footprints, stay straight in it; shapes are true
near the territory; and a square kilometre is one anywhere, overseas too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import shapely
from pyproj import Transformer

#: Degrees between two points of a projected side: on longer ones the curve would show.
STEP = 0.1


@dataclass(frozen=True)
class Territory:
    """A territory's outline in its own equal-area plane, in metres.

    :ivar latitude: of the plane, in degrees
    :ivar shape: valid polygon or multipolygon
    """

    latitude: float
    shape: Any

    @property
    def area(self) -> float:
        """Square metres."""
        return self.shape.area


@lru_cache(maxsize=256)
def _transformer(latitude: float) -> Transformer:
    plane = f"+proj=cea +lat_ts={latitude} +lon_0=0 +ellps=GRS80 +units=m"
    return Transformer.from_crs("EPSG:4326", plane, always_xy=True)


def to_plane(geometries: Any, latitude: float) -> Any:
    """Geometries (longitude, latitude in degrees) in the equal-area plane of a latitude, in metres.

    :param geometries: one, or an array of them
    """
    project = _transformer(latitude).transform

    def there(points: Any) -> Any:
        return np.column_stack(project(points[:, 0], points[:, 1]))

    return shapely.transform(shapely.segmentize(shapely.force_2d(geometries), STEP), there)


def to_degrees(geometry: Any, latitude: float) -> Any:
    """Back from :func:`to_plane`."""
    project = _transformer(latitude).transform

    def back(points: Any) -> Any:
        return np.column_stack(project(points[:, 0], points[:, 1], direction="INVERSE"))

    return shapely.transform(geometry, back)


def rounded(geometry: Any) -> dict[str, Any]:
    """The polygons of a geometry in degrees as GeoJSON, to some 10 cm."""
    return orjson.loads(shapely.to_geojson(surface(shapely.transform(geometry, lambda points: np.round(points, 6)))))


def territory(outline: Any) -> Territory:
    """An outline made ready: projected, repaired, freed of detail a thousand times finer than the territory is wide.

    :param outline: shapely polygon or multipolygon, longitude and latitude in degrees
    :raises ValueError: it has no area
    """
    valid = surface(outline)
    if not valid.area:
        raise ValueError("The outline of the territory has no area.")
    latitude = round(float(shapely.centroid(valid).y), 1)
    shape = surface(to_plane(valid, latitude))
    return Territory(latitude, surface(shape.simplify(1e-4 * shape.area**0.5)))


def surface(shape: Any) -> Any:
    """The polygons of a geometry, valid; an empty polygon when it has none."""
    valid = shape if shape.is_valid else shapely.make_valid(shape)
    if valid.geom_type in ("Polygon", "MultiPolygon"):
        return valid
    parts = [part for part in shapely.get_parts(valid) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def surfaces(shapes: Any) -> Any:
    """:func:`surface` of each geometry of an array."""
    found = np.array(shapes, dtype=object)
    fine = shapely.is_valid(found) & np.isin(shapely.get_type_id(found), (3, 6))  # polygon, multipolygon
    for at in np.flatnonzero(~fine):
        found[at] = surface(found[at])
    return found


def projected(place: Territory, footprints: Any) -> Any:
    """Footprints in a territory's plane, valid.

    :param footprints: array of shapely geometries (longitude, latitude)
    """
    # Repaired before they are projected (a ring of one point cannot be) and after (rounding may touch itself).
    return surfaces(to_plane(surfaces(footprints), place.latitude))


def clipped(place: Territory, shapes: Any) -> Any:
    """What each shape covers of a territory.

    :param shapes: array of :func:`projected`
    """
    shapely.prepare(place.shape)
    found = np.array(shapes, dtype=object)
    others = np.flatnonzero(~shapely.contains_properly(place.shape, found))
    cut = surfaces(shapely.intersection(found[others], place.shape))
    cut[shapely.covers(found[others], place.shape)] = place.shape
    found[others] = cut
    return found


def clips(place: Territory, footprints: Any) -> list[Any]:
    """What each footprint covers of a territory, in its plane.

    :param footprints: array of shapely geometries (longitude, latitude)
    """
    return list(clipped(place, projected(place, footprints))) if len(footprints) else []
