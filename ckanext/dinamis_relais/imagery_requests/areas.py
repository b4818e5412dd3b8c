"""An area as somebody gives it (GeoJSON, zipped Shapefile, KML, KMZ) becomes polygons in longitude and latitude. Pure.

What comes in is hostile until shown otherwise: sizes are bounded before anything is unpacked or read, nothing is
written to a disk, an archive's names lead nowhere, XML has no entities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyproj
import shapely
from pyproj.exceptions import CRSError
from shapely.errors import GEOSException
from shapely.geometry import mapping

from ckanext.dinamis_relais.imagery_requests.areas_problem import AreaProblem

__all__ = ["Area", "AreaProblem", "Limits", "area_km2", "from_file", "from_geometry", "to_equal_area"]

MEGABYTE = 1_000_000
#: Decimals of a degree that are kept: about 10 cm.
DECIMALS = 6
#: Smallest area that is one, in square kilometres: less is a slip of the hand.
LEAST_KM2 = 0.0001

# Cylindrical equal-area: a shape keeps its surface wherever it is, and a parallel stays a straight line.
_EQUAL_AREA = pyproj.CRS.from_proj4("+proj=cea +lat_ts=45 +ellps=GRS80 +units=m +no_defs")
_LONLAT = pyproj.CRS.from_epsg(4326)


@dataclass(frozen=True)
class Limits:
    """What is taken; the operator's.

    :ivar file_mb: largest file, in MB (10**6 bytes)
    :ivar unpacked_mb: largest content of an archive, in MB
    :ivar points: most points of an area
    :ivar km2: largest area, in square kilometres; 0 for any
    """

    file_mb: int = 5
    unpacked_mb: int = 50
    points: int = 10_000
    km2: float = 0


@dataclass(frozen=True)
class Area:
    """Polygons in longitude and latitude (WGS 84).

    :ivar geometry: GeoJSON ``Polygon`` or ``MultiPolygon``, without elevations
    :ivar km2: surface in square kilometres
    :ivar notes: what was changed, as kinds: ``repaired``, ``merged``, ``left_out``, ``assumed_wgs84``, ``projected``
    """

    geometry: dict[str, Any]
    km2: float
    notes: tuple[str, ...] = field(default=())


def _transform(shape: Any, source: Any, target: Any) -> Any:
    transformer: Any = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return shapely.transform(shape, transformer.transform, interleaved=False)


def to_equal_area(shape: Any) -> Any:
    """A shape in longitude and latitude, projected so that its ``area`` is square metres on the ellipsoid GRS 80."""
    return _transform(shape, _LONLAT, _EQUAL_AREA)


def area_km2(shape: Any) -> float:
    """Surface in square kilometres of a shape in longitude and latitude."""
    return float(to_equal_area(shape).area) / 1e6


def _polygons(shape: Any) -> Iterator[Any]:
    if shape.geom_type == "Polygon":
        yield shape
    elif shape.geom_type in ("MultiPolygon", "GeometryCollection"):
        for part in shape.geoms:
            yield from _polygons(part)


def _has_other(shape: Any) -> bool:
    """Whether there is something beside polygons: points, lines."""
    if shape.geom_type == "GeometryCollection":
        return any(_has_other(part) for part in shape.geoms)
    return not shape.is_empty and shape.geom_type not in ("Polygon", "MultiPolygon")


def _lonlat(shape: Any, crs: pyproj.CRS | None, notes: list[str]) -> Any:
    """The shape in longitude and latitude.

    :raises AreaProblem: the numbers are none, or no degrees where no reference system explains them
    """
    bounds = shape.bounds
    if not all(math.isfinite(value) for value in bounds) or any(abs(value) > 1e9 for value in bounds):
        raise AreaProblem("numbers")
    if crs is not None:
        shape = _transform(shape, crs, _LONLAT)
        bounds = shape.bounds
        if not crs.is_geographic:
            notes.append("projected")
    degrees = bounds[0] >= -180 and bounds[2] <= 180 and bounds[1] >= -90 and bounds[3] <= 90
    if not degrees:
        raise AreaProblem("system")
    return shape


def made(shape: Any, limits: Limits, crs: pyproj.CRS | None = None, notes: tuple[str, ...] = ()) -> Area:
    """An area of any shape: polygons only, valid, in longitude and latitude.

    :param crs: the system of its coordinates; None for longitude and latitude (RFC 7946, KML)
    :raises AreaProblem: what is wrong
    """
    said = list(notes)
    if shapely.get_num_coordinates(shape) > limits.points:
        raise AreaProblem("points", number=limits.points)
    parts = list(_polygons(shapely.force_2d(shape)))
    if _has_other(shape):
        if not parts:
            raise AreaProblem("no_polygon")
        said.append("left_out")
    whole = shapely.GeometryCollection(parts)
    if not parts or whole.is_empty:
        raise AreaProblem("empty")
    whole = _lonlat(whole, crs, said)
    parts = [part for part in whole.geoms if not part.is_empty]
    if not all(part.is_valid for part in parts):
        parts = [one for part in parts for one in _polygons(shapely.make_valid(part))]
        said.append("repaired")
    try:
        union = shapely.set_precision(shapely.union_all(parts), 10**-DECIMALS)
    except GEOSException as error:
        raise AreaProblem("broken") from error
    union = shapely.MultiPolygon(list(_polygons(union)))
    surface = area_km2(union)
    if surface < LEAST_KM2:
        raise AreaProblem("broken" if "repaired" in said else "small")
    if limits.km2 and surface > limits.km2:
        raise AreaProblem("large", km2=limits.km2, found=round(surface))
    if len(union.geoms) < len(parts) and "repaired" not in said:
        said.append("merged")
    kept = union.geoms[0] if len(union.geoms) == 1 else union
    return Area(orjson.loads(orjson.dumps(mapping(kept))), surface, tuple(dict.fromkeys(said)))


def _geojson(content: bytes, limits: Limits) -> Area:
    # orjson bounds the nesting before GEOS reads it.
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise AreaProblem("geojson") from error
    if not isinstance(found, dict):
        raise AreaProblem("geojson")
    crs = _named(found.pop("crs", None))
    try:
        shape = shapely.from_geojson(orjson.dumps(found))
    except (GEOSException, ValueError, TypeError) as error:
        raise AreaProblem("geojson") from error
    if shape is None:
        raise AreaProblem("empty")
    return made(shape, limits, crs)


def _named(crs: Any) -> pyproj.CRS | None:
    """The system that GeoJSON's old ``crs`` member names, as QGIS still writes it (GeoJSON 2008, 3)."""
    if crs is None:
        return None
    name = (crs.get("properties") or {}).get("name") if isinstance(crs, dict) else None
    if not isinstance(name, str) or len(name) > 100:
        raise AreaProblem("system")
    try:
        return pyproj.CRS.from_user_input(name)
    except CRSError as error:
        raise AreaProblem("system") from error


def from_geometry(geometry: Any, limits: Limits) -> Area:
    """An area given as GeoJSON: a geometry, a feature or a collection of features, as a dictionary or as text.

    :raises AreaProblem: what is wrong
    """
    try:
        content = orjson.dumps(geometry) if isinstance(geometry, dict) else str(geometry).encode()
    except (orjson.JSONEncodeError, UnicodeEncodeError, RecursionError) as error:
        raise AreaProblem("geojson") from error
    if len(content) > limits.file_mb * MEGABYTE:
        raise AreaProblem("file_large", mb=limits.file_mb)
    return _geojson(content, limits)


def from_file(name: str, content: bytes, limits: Limits) -> Area:
    """An area out of a file, told by its name's end and by its content.

    :param name: as the person's computer calls it; nothing is written under it
    :raises AreaProblem: what is wrong
    """
    from ckanext.dinamis_relais.imagery_requests import formats

    if not content:
        raise AreaProblem("file_empty")
    if len(content) > limits.file_mb * MEGABYTE:
        raise AreaProblem("file_large", mb=limits.file_mb)
    end = name.rpartition(".")[2].lower()
    readers: dict[str, Callable[[bytes, Limits], Area]] = {
        "geojson": _geojson, "json": _geojson, "kml": formats.kml, "kmz": formats.archive, "zip": formats.archive,
    }  # fmt: skip
    if end not in readers:
        raise AreaProblem("file_type")
    return readers[end](content, limits)
