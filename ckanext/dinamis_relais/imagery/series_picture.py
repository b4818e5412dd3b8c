"""Where the scenes of a series lie, or a territory, as a picture: coasts, borders, towns, the shapes over them."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson
import shapely
import sqlalchemy as sa
import vl_convert
from markupsafe import escape
from shapely.geometry import shape

from ckanext.dinamis_relais.imagery import coverage
from ckanext.dinamis_relais.imagery.coverage_picture import svg_path
from ckanext.dinamis_relais.imagery.model import scenes

#: Pixels of the picture's own; the PNG has twice as many.
WIDTH, HEIGHT = 720, 480
#: Footprints that are drawn, the newest: more would be one blot.
MOST = 1500
#: Degrees of latitude that are seen at least, so that one scene has a land around it.
LEAST = 2.0
_ROOM = 0.12
#: Pixels under which a territory has a ring around it, for it to be seen.
_SMALL = 30
#: (name, longitude, latitude) each.
Towns: TypeAlias = "tuple[tuple[str, float, float], ...]"
#: Prefectures of Nouvelle-Aquitaine: (name, longitude, latitude), to find one's way on the plain base.
TOWNS: Towns = (
    ("Bordeaux", -0.58, 44.84), ("Limoges", 1.26, 45.83), ("Poitiers", 0.34, 46.58), ("Pau", -0.37, 43.3),
    ("La Rochelle", -1.15, 46.16), ("Agen", 0.62, 44.2), ("Angoulême", 0.16, 45.65), ("Niort", -0.46, 46.32),
    ("Périgueux", 0.72, 45.18), ("Mont-de-Marsan", -0.5, 43.89), ("Guéret", 1.87, 46.17),
    ("Tulle", 1.77, 45.27),
)  # fmt: skip
#: Of the drawing of territories, which are kept: another one is drawn anew.
VERSION = 1
_LAND = Path(__file__).parent.parent / "public" / "dinamis" / "outline.json"


def footprints(engine: Any, collection: str, year: int) -> list[Any]:
    """Footprints of a series (longitude, latitude), the newest first, at most :data:`MOST`.

    :param year: UTC
    """
    query = sa.select(sa.func.ST_AsBinary(scenes.c.geom)).where(
        scenes.c.collection == collection, sa.func.date_part("year", scenes.c.datetime) == year
    )
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(scenes.c.datetime.desc(), scenes.c.id).limit(MOST)).scalars().all()
    return list(shapely.from_wkb(np.array([bytes(one) for one in rows], dtype=object))) if rows else []


@lru_cache(maxsize=2)
def _land(path: Path, _changed: float) -> list[tuple[bool, Any]]:
    found = orjson.loads(path.read_bytes())["features"]
    # Islands that the simplification left empty are read by GEOS, not by shape().
    shapes = shapely.from_geojson([orjson.dumps(one["geometry"]).decode() for one in found])
    return [(bool(one["properties"].get("france")), land) for one, land in zip(found, shapes, strict=True)]


class _Frame:
    """From degrees to pixels: plate carrée, true at the middle's latitude."""

    def __init__(self, bounds: Any):
        west, south, east, north = map(float, bounds)
        self.squeeze = math.cos(math.radians((south + north) / 2))
        x, y = (west + east) / 2, (south + north) / 2
        high = max(
            (north - south) * (1 + 2 * _ROOM), LEAST, (east - west) * self.squeeze * (1 + 2 * _ROOM) * HEIGHT / WIDTH
        )
        wide = high * WIDTH / HEIGHT / self.squeeze
        self.west, self.north, self.scale = x - wide / 2, y + high / 2, HEIGHT / high
        self.box = shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)

    def point(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Pixels of a point, or of arrays of them, in degrees."""
        return (lon - self.west) * self.squeeze * self.scale, (self.north - lat) * self.scale

    def path(self, geometry: Any, style: str) -> str:
        """The polygons of a geometry that are within the frame."""
        seen = coverage.surface(shapely.intersection(coverage.surface(geometry), self.box.buffer(0.2)))
        pixels = shapely.transform(seen, lambda points: np.column_stack(self.point(points[:, 0], points[:, 1])))
        return svg_path(pixels, style) if not seen.is_empty else ""


def svg(shapes: list[Any], towns: Towns) -> str:
    """The picture of footprints.

    :param shapes: footprints (longitude, latitude), at least one
    :param towns: drawn where they are in the frame
    """
    frame = _Frame(shapely.total_bounds(shapes))
    deep = max(0.04, min(0.25, 6 / len(shapes)))
    style = f'fill="#0b5cad" fill-opacity="{deep:.2f}" stroke="#0b5cad" stroke-opacity="0.45"'
    return _drawn(frame, [frame.path(one, style) for one in shapes], towns)


def territory_svg(outline: Any, towns: Towns) -> str:
    """The picture of a territory, a ring around it where it is too small to be seen.

    :param outline: its surface (longitude, latitude)
    :param towns: drawn where they are in the frame
    """
    frame = _Frame(outline.bounds)
    own = [frame.path(outline, 'fill="#0b5cad" fill-opacity="0.45" stroke="#0b5cad" stroke-width="1.5"')]
    (west, south, east, north), middle = outline.bounds, outline.centroid
    if (north - south) * frame.scale < _SMALL and (east - west) * frame.squeeze * frame.scale < _SMALL:
        x, y = frame.point(middle.x, middle.y)
        own.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_SMALL}" fill="none" stroke="#b3261e" stroke-width="3"/>')
    # It is shown on telephones at half its size.
    return _drawn(frame, own, towns, 21)


def _drawn(frame: _Frame, shapes: list[str], towns: Towns, letters: int = 13) -> str:
    """Shapes over the land, and the towns over them.

    :param letters: their height, in pixels
    """
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="Liberation Sans, DejaVu Sans, Arial, sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#e8eff5"/>',
    ]
    if _LAND.is_file():
        for france, land in _land(_LAND, _LAND.stat().st_mtime):
            colour = "#fdfdfb" if france else "#f1f1ee"
            drawn.append(frame.path(land, f'fill="{colour}" stroke="#9aa5b1" stroke-width="1"'))
    drawn += shapes
    for name, lon, lat in towns:
        if frame.box.contains(shapely.Point(lon, lat)):
            x, y = frame.point(lon, lat)
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{letters / 5:.1f}" fill="#343a40"/>')
            style = f'text-anchor="middle" font-size="{letters}" fill="#343a40" stroke="#ffffff" stroke-width="3"'
            drawn.append(
                f'<text x="{x:.1f}" y="{y - letters / 2:.1f}" {style} paint-order="stroke">{escape(name)}</text>'
            )
    return "".join([*drawn, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#9aa5b1"/></svg>'])


def png(engine: Any, collection: str, year: int, towns: Towns) -> bytes | None:
    """The picture of a series as a PNG, None when the store holds none of its scenes."""
    shapes = footprints(engine, collection, year)
    return vl_convert.svg_to_png(svg(shapes, towns), scale=2.0) if shapes else None


def territory_png(outline: dict[str, Any], towns: Towns) -> bytes:
    """The picture of a territory as a PNG.

    :param outline: GeoJSON geometry
    """
    return vl_convert.svg_to_png(territory_svg(coverage.surface(shape(outline)), towns), scale=2.0)
