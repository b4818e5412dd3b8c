"""Files of areas, well made and hostile."""

from __future__ import annotations

import io
import json
import zipfile

import pyproj
import shapefile

LAMBERT_93 = pyproj.CRS.from_epsg(2154)
#: A square of Bègles, in degrees.
RING = [[-0.60, 44.78], [-0.50, 44.78], [-0.50, 44.84], [-0.60, 44.84], [-0.60, 44.78]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}


def geojson(geometry=None, **more) -> bytes:
    return json.dumps({**(geometry or SQUARE), **more}).encode()


def zipped(files, compression=zipfile.ZIP_DEFLATED) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", compression) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return kept.getvalue()


def shp(rings, shape_type=shapefile.POLYGON) -> bytes:
    """A ``.shp`` of one shape made of rings."""
    content = io.BytesIO()
    with shapefile.Writer(shp=content, shx=io.BytesIO(), dbf=io.BytesIO(), shapeType=shape_type) as writer:
        writer.field("id", "C")
        writer.poly(rings) if shape_type == shapefile.POLYGON else writer.point(*rings)
        writer.record("1")
    return content.getvalue()


def lambert(ring=None) -> list[list[float]]:
    """A ring in Lambert-93."""
    to = pyproj.Transformer.from_crs(4326, LAMBERT_93, always_xy=True)
    return [list(to.transform(x, y)) for x, y in (ring or RING)]


def prj(crs=LAMBERT_93) -> str:
    return crs.to_wkt("WKT1_ESRI")


def kml(ring=None, head="", hole="") -> bytes:
    points = " ".join(f"{x},{y},12" for x, y in (ring or RING))
    return (
        f'<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><Polygon>'
        f"<outerBoundaryIs><LinearRing><coordinates>{points}</coordinates></LinearRing></outerBoundaryIs>{hole}"
        "</Polygon></Placemark></Document></kml>"
    ).encode()
