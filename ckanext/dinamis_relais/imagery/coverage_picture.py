"""A year's coverage as a picture for a report: outline, chosen scenes numbered, holes hatched, credit line."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import shapely
import vl_convert
from markupsafe import escape
from shapely.geometry import shape

from ckanext.dinamis_relais.imagery import coverage, coverage_words

#: Size of the picture, in pixels of its own; the PNG has twice as many.
WIDTH, HEIGHT = 1200, 780
#: Where the map is: left, top, width, height.
MAP = (40, 120, 680, 580)
#: Scenes that are listed beside the map.
LISTED = 9

_INK, _BLUE, _RED = "#1d1d1d", "#0b5cad", "#b3261e"


def svg(territory: dict[str, Any], year: dict[str, Any], credit: str) -> str:
    """The picture of one year.

    :param territory: as ``dinamis_scene_coverage`` answers it
    :param year: one of its years, computed
    :param credit: the line under the map
    """
    title = tk._("{place}: satellite images of {year}").format(place=territory["label"], year=year["year"])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="Liberation Sans, DejaVu Sans, Arial, sans-serif">',
        f'<defs><pattern id="hole" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="9" height="9" fill="#ffffff"/><rect width="3" height="9" fill="{_RED}"/></pattern>'
        f'<clipPath id="map"><rect x="{MAP[0]}" y="{MAP[1]}" width="{MAP[2]}" height="{MAP[3]}"/></clipPath></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(40, 56, title, 30, weight="bold"),
        _text(40, 94, coverage_words.sentence(year), 20),
        *_map(territory, year),
        *_list(year),
        _text(40, HEIGHT - 40, credit, 14, "#495057"),
        "</svg>",
    ]
    return "".join(parts)


def png(territory: dict[str, Any], year: dict[str, Any], credit: str) -> bytes:
    """The same as a PNG, twice as fine."""
    return vl_convert.svg_to_png(svg(territory, year, credit), scale=2.0)


def _text(x: float, y: float, text: str, size: int, colour: str = _INK, weight: str = "normal", more: str = "") -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="{colour}"{more}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def svg_path(drawn: Any, style: str) -> str:
    """Polygons in a picture's pixels as a path.

    :param drawn: shapely polygon or multipolygon
    :param style: attributes
    """
    rings = [ring for part in shapely.get_parts(drawn) for ring in (part.exterior, *part.interiors)]
    path = " ".join("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in ring.coords) + "Z" for ring in rings if ring)
    return f'<path d="{path}" fill-rule="evenodd" {style}/>'


class _Frame:
    """From degrees to the picture, shapes true at the territory's latitude, room left around it."""

    def __init__(self, outline: Any):
        self.latitude = round(float(outline.centroid.y), 1)
        west, south, east, north = coverage.to_plane(outline, self.latitude).bounds
        self.scale = 0.82 * min(MAP[2] / (east - west), MAP[3] / (north - south))
        self.x = MAP[0] + MAP[2] / 2 - self.scale * (west + east) / 2
        self.y = MAP[1] + MAP[3] / 2 + self.scale * (south + north) / 2

    def draw(self, geometry: Any) -> Any:
        """A geometry in the picture's pixels."""
        plane = coverage.to_plane(geometry, self.latitude)
        return shapely.transform(plane, lambda xy: xy * [self.scale, -self.scale] + [self.x, self.y])

    def path(self, geometry: Any, style: str) -> str:
        """A polygon as a path."""
        box = shapely.box(MAP[0] - 20, MAP[1] - 20, MAP[0] + MAP[2] + 20, MAP[1] + MAP[3] + 20)
        drawn = coverage.surface(coverage.surface(self.draw(geometry)).intersection(box)).simplify(0.3)
        return svg_path(drawn, style)


def _map(territory: dict[str, Any], year: dict[str, Any]) -> list[str]:
    outline = coverage.surface(shape(territory["outline"]))
    frame = _Frame(outline)
    drawn = [f'<rect x="{MAP[0]}" y="{MAP[1]}" width="{MAP[2]}" height="{MAP[3]}" fill="#eef2f5" stroke="#9aa5b1"/>']
    drawn.append('<g clip-path="url(#map)">')
    drawn.append(frame.path(outline, 'fill="#ffffff"'))
    for scene in year["scenes"]:
        style = f'fill="{_BLUE}" fill-opacity="0.14" stroke="{_BLUE}" stroke-width="1.6"'
        drawn.append(frame.path(shape(scene["geometry"]), style))
    for hole in year["holes"]["features"]:
        drawn.append(frame.path(shape(hole["geometry"]), f'fill="url(#hole)" stroke="{_RED}" stroke-width="1.5"'))
    drawn.append(frame.path(outline, f'fill="none" stroke="{_INK}" stroke-width="2.4" stroke-dasharray="7 4"'))
    for number, scene in enumerate(year["scenes"], 1):
        point = frame.draw(shapely.Point(scene["label"]))
        drawn.append(f'<circle cx="{point.x:.1f}" cy="{point.y:.1f}" r="15" fill="{_BLUE}"/>')
        drawn.append(_text(point.x, point.y + 6, str(number), 17, "#ffffff", "bold", ' text-anchor="middle"'))
    return [*drawn, "</g>"]


def _list(year: dict[str, Any]) -> list[str]:
    x, y, drawn = MAP[0] + MAP[2] + 35, MAP[1] + 16, []
    for number, scene in enumerate(map(coverage_words.row, year["scenes"][:LISTED]), 1):
        facts = tk._("clouds: {clouds} · covers {share}").format(clouds=scene["clouds"], share=scene["covers"])
        drawn.append(f'<circle cx="{x + 14}" cy="{y}" r="14" fill="{_BLUE}"/>')
        drawn.append(_text(x + 14, y + 6, str(number), 16, "#ffffff", "bold", ' text-anchor="middle"'))
        drawn.append(_text(x + 40, y - 2, f"{scene['sensor']}, {scene['short']}", 18, weight="bold"))
        drawn.append(_text(x + 40, y + 20, facts, 16, "#343a40"))
        y += 56
    if len(year["scenes"]) > LISTED:
        more = len(year["scenes"]) - LISTED
        text = tk.ungettext("and {n} more scene", "and {n} more scenes", more).format(n=more)
        drawn.append(_text(x + 40, y, text, 16, "#343a40"))
        y += 40
    legend = [
        (f'fill="none" stroke="{_INK}" stroke-width="2" stroke-dasharray="6 3"', tk._("outline of the territory"))
    ]
    if year["holes"]["features"]:
        legend.append((f'fill="url(#hole)" stroke="{_RED}"', tk._("no image")))
    y = max(y, MAP[1] + MAP[3] - 28 * len(legend))
    for style, text in legend:
        drawn.append(f'<rect x="{x}" y="{y}" width="28" height="16" {style}/>')
        drawn.append(_text(x + 40, y + 14, text, 16, "#343a40"))
        y += 28
    return drawn
