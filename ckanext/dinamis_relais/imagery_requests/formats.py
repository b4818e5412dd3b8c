"""Shapefile and KML, in their archives. Nothing is unpacked beyond its limit, nothing is written to a disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from typing import Any

import pyproj
import shapefile
import shapely
from lxml import etree  # type: ignore[attr-defined]
from pyproj.exceptions import CRSError
from shapely.geometry import shape

from ckanext.dinamis_relais.imagery_requests.areas import MEGABYTE, Area, Limits, made
from ckanext.dinamis_relais.imagery_requests.areas_problem import AreaProblem

#: Most files in an archive: a Shapefile has up to a dozen.
MOST_FILES = 50
#: A point of a Shapefile takes at least 16 bytes (ESRI Shapefile Technical Description, 1998); with elevations 32.
_POINT_BYTES = 32
#: Longest description of a reference system that is read, in bytes.
_LONGEST_PRJ = 20_000


def _safe(name: str) -> bool:
    """Whether a name of an archive stays inside it; none is ever used as a path here."""
    parts = name.replace("\\", "/").split("/")
    return not name.startswith(("/", "\\")) and ".." not in parts and ":" not in name and "\x00" not in name


def _members(opened: zipfile.ZipFile, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their names in lower case.

    :raises AreaProblem: too many, too large, encrypted, or a name that leads out of the archive
    """
    infos = [info for info in opened.infolist() if not info.is_dir()]
    if len(infos) > MOST_FILES:
        raise AreaProblem("archive_files", number=MOST_FILES)
    if not all(_safe(info.filename) for info in infos):
        raise AreaProblem("archive_names")
    if sum(info.file_size for info in infos) > limits.unpacked_mb * MEGABYTE:
        raise AreaProblem("archive_large", mb=limits.unpacked_mb)
    if any(info.flag_bits & 0x1 for info in infos):
        raise AreaProblem("archive_locked")
    return {info.filename.lower(): info for info in infos if not info.filename.startswith("__MACOSX/")}


def _read(opened: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, problem: AreaProblem) -> bytes:
    """One file of an archive, no further than its limit whatever its header claims."""
    with opened.open(info) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise problem
    return content


def archive(content: bytes, limits: Limits) -> Area:
    """A zipped Shapefile (its ``.shp`` and, if it has one, its ``.prj``), or a KMZ.

    :raises AreaProblem: what is wrong
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as opened:
            members = _members(opened, limits)
            shapes = [name for name in members if name.endswith(".shp")]
            if len(shapes) > 1:
                raise AreaProblem("archive_many")
            if shapes:
                return _shapefile(opened, members, shapes[0], limits)
            markup = next((name for name in members if name.endswith(".kml")), None)
            if markup is None:
                raise AreaProblem("archive_nothing")
            too_large = AreaProblem("points", number=limits.points)
            return kml(_read(opened, members[markup], limits.file_mb * MEGABYTE, too_large), limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise AreaProblem("archive_broken") from error


def _shapefile(opened: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, limits: Limits) -> Area:
    # What has more bytes than the points that are taken could fill has too many of them: it is not even read.
    most = 2 * _POINT_BYTES * limits.points + MEGABYTE
    data = _read(opened, members[name], most, AreaProblem("points", number=limits.points))
    described = members.get(f"{name.removesuffix('.shp')}.prj")
    crs, notes = None, ("assumed_wgs84",)
    if described is not None:
        text = _read(opened, described, _LONGEST_PRJ, AreaProblem("system")).decode("utf-8", "replace")
        try:
            crs, notes = pyproj.CRS.from_user_input(text.strip()), ()
        except CRSError as error:
            raise AreaProblem("system") from error
    return made(_shapes(data, limits), limits, crs, notes)


def _shapes(data: bytes, limits: Limits) -> Any:
    """The shapes of a ``.shp``, each as it stands.

    :raises AreaProblem: it cannot be read, or holds too many points
    """
    found, points = [], 0
    try:
        reader: Any
        with shapefile.Reader(shp=BytesIO(data)) as reader:
            for one in reader.iterShapes():
                points += len(one.points)
                if points > limits.points:
                    raise AreaProblem("points", number=limits.points)
                if one.shapeType != shapefile.NULL:
                    found.append(shape(one.__geo_interface__))
    except AreaProblem:
        raise
    except (shapefile.ShapefileException, struct.error, shapely.errors.ShapelyError, ValueError, IndexError, KeyError,
            TypeError, AttributeError, EOFError, OverflowError, MemoryError) as error:  # fmt: skip
        # What a made-up file makes its reader stumble over is not ours to foresee.
        raise AreaProblem("shapefile") from error
    return shapely.GeometryCollection(found)


def _ring(element: Any) -> list[tuple[float, float]]:
    """Longitudes and latitudes of a KML ``LinearRing`` (OGC KML 2.3, 12.3: ``lon,lat[,alt]`` parted by blanks)."""
    text = element.findtext("{*}LinearRing/{*}coordinates") or ""
    return [(float(one.split(",")[0]), float(one.split(",")[1])) for one in text.split()]


def kml(content: bytes, limits: Limits) -> Area:
    """The polygons of a KML document; always longitude and latitude.

    :raises AreaProblem: what is wrong
    """
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise AreaProblem("kml") from error
    if root is None or root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise AreaProblem("kml_entities")
    found = []
    try:
        for polygon in root.iter("{*}Polygon"):
            outer = polygon.find("{*}outerBoundaryIs")
            holes = [_ring(one) for one in polygon.iterfind("{*}innerBoundaryIs")]
            if outer is not None:
                found.append(shapely.Polygon(_ring(outer), [hole for hole in holes if hole]))
    except (ValueError, IndexError, shapely.errors.ShapelyError) as error:
        raise AreaProblem("kml") from error
    if not found:
        raise AreaProblem("no_polygon")
    return made(shapely.GeometryCollection(found), limits)
