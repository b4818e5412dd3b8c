"""Charts: Vega-Lite specifications, drawn on the server as SVG. No script runs in the page, and none is loaded.

Each picture has its numbers as a table beside it (:mod:`panels`), and says in words what it shows.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

#: The version of Vega-Lite that the specifications are written for; vl-convert holds several.
VERSION = "5.20"
#: Seconds that a drawing is kept: its name is the digest of all that it shows.
KEEP = 24 * 3600
#: Width in pixels on a screen and on a phone: letters keep their size.
WIDE, NARROW = 520, 300
BLUE, GREEN, AMBER, GREY = "#0b5cad", "#1b7f4b", "#b26a00", "#6b747d"
_FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_OUTLINES = Path(__file__).parent.parent / "public" / "dinamis" / "departments.json"

Spec = dict[str, Any]


def _base(width: int, height: int | Spec, values: list[Spec]) -> Spec:
    axis = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": "#343a40", "gridColor": "#e3e6e9",
            "domainColor": "#adb5bd", "tickColor": "#adb5bd"}  # fmt: skip
    legend = {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "orient": "top",
        "labelLimit": 260,
        "columns": 2 if width < 400 else 4,
    }
    return {
        "width": {"step": 20} if width == 0 else width, "height": height, "data": {"values": values},
        "autosize": {"type": "fit", "contains": "padding"}, "background": "transparent",
        "config": {"font": _FONT, "axis": axis, "legend": legend, "view": {"stroke": None}},
    }  # fmt: skip


def _months(width: int, values: list[Spec]) -> Spec:
    # Every label fits as long as there are no more than the width holds: then some are left out, never turned.
    axis = {"labelOverlap": "greedy", "labelAngle": -90 if width < 400 else 0, "title": None}
    return {"field": "label", "type": "ordinal", "sort": [row["label"] for row in values], "axis": axis}


def _amount(field: str, title: str | None, stack: bool | None = None) -> Spec:
    axis = {"tickMinStep": 1, "format": ",~r", "tickCount": 5}
    found = {"field": field, "type": "quantitative", "title": title, "axis": axis}
    return found if stack is None else {**found, "stack": stack}


def line(width: int, values: list[Spec], title: str) -> Spec:
    """How many there were at the end of each month: rows ``label, value``."""
    marks = [{"mark": {"type": "area", "color": BLUE, "opacity": 0.15, "interpolate": "monotone"}},
             {"mark": {"type": "line", "color": BLUE, "strokeWidth": 2.5, "point": {"color": BLUE, "size": 40},
                       "interpolate": "monotone"}}]  # fmt: skip
    encoding = {"x": _months(width, values), "y": _amount("value", title)}
    return {**_base(width, 220, values), "encoding": encoding, "layer": marks}


def columns(width: int, values: list[Spec], title: str) -> Spec:
    """How much came in each month: rows ``label, value``."""
    mark = {"type": "bar", "color": BLUE, "cornerRadiusEnd": 2}
    encoding = {"x": _months(width, values), "y": _amount("value", title)}
    return {**_base(width, 220, values), "mark": mark, "encoding": encoding}


def stacked(width: int, rows: list[Spec], series: list[tuple[str, str]], title: str, stack: bool = True) -> Spec:
    """Several series a month, one above or beside the other: rows ``label`` and each series' key.

    :param series: (key, label) of each, in the order in which they are drawn
    """
    colours = [BLUE, AMBER, GREEN, GREY, "#7a3e9d", "#b3261e", "#343a40"][: len(series)]
    values = [{"label": row["label"], "series": label, "order": n, "value": row[key] or 0}
              for row in rows for n, (key, label) in enumerate(series)]  # fmt: skip
    encoding: Spec = {
        "x": _months(width, rows), "y": _amount("value", title, stack or None),
        "color": {"field": "series", "type": "nominal", "title": None, "sort": [label for _key, label in series],
                  "scale": {"domain": [label for _key, label in series], "range": colours}},
        "order": {"field": "order"},
    }  # fmt: skip
    if not stack:
        encoding["xOffset"] = {"field": "series", "sort": [label for _key, label in series]}
    return {**_base(width, 220, values), "mark": {"type": "bar"}, "encoding": encoding}


def bars(width: int, values: list[Spec], digits: int = 0) -> Spec:
    """One bar a row, the number at its end: rows ``label, value``."""
    limit = 130 if width < 400 else 230
    y = {"field": "label", "type": "nominal", "sort": None,
         "axis": {"title": None, "labelLimit": limit, "domain": False, "ticks": False, "labelPadding": 8}}  # fmt: skip
    # Room for the number at the end of the longest bar.
    top = max([row["value"] for row in values] or [1]) * (1.35 if width < 400 else 1.18)
    x = {"field": "value", "type": "quantitative", "axis": None, "scale": {"domain": [0, top or 1]}}
    text = {"field": "value", "type": "quantitative", "format": f",.{digits}f"}
    layers = [{"mark": {"type": "bar", "color": BLUE, "cornerRadiusEnd": 2, "height": {"band": 0.65}}},
              {"mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12, "color": "#343a40"},
               "encoding": {"text": text}}]  # fmt: skip
    return {**_base(width, max(60, 30 * len(values)), values), "encoding": {"x": x, "y": y}, "layer": layers}


@cache
def outlines() -> list[Spec]:
    """The départements' outlines; none when the front end was not built."""
    try:
        return json.loads(_OUTLINES.read_text(encoding="utf-8"))["features"]
    except FileNotFoundError:
        return []


def department_names() -> dict[str, str]:
    """Insee's code → the département's name."""
    return {one["properties"]["code"]: one["properties"]["name"] for one in outlines()}


def department_map(width: int, counts: dict[str, int], shown: list[str]) -> Spec | None:
    """Members by département, as a map with the numbers on it; None without outlines.

    :param counts: Insee's code → members
    :param shown: départements that are drawn even when they have none
    """
    codes = {*shown, *counts}
    drawn = [(one["properties"]["code"], one) for one in outlines()]
    features = [{**one, "n": counts.get(code, 0)} for code, one in drawn if code in codes]
    if not features:
        return None
    middles = [{"n": str(one["n"]), "lon": x, "lat": y, "dark": one["n"] > 0.55 * max(counts.values(), default=0)}
               for one in features for x, y in [_middle(one)]]  # fmt: skip
    top = max(counts.values(), default=0) or 1
    # What lies further down in the drawing has the larger y, as on the screen: no projection is asked for.
    projection = {"type": "identity", "reflectY": False}
    colour = {"field": "n", "type": "quantitative", "legend": None,
              "scale": {"domain": [0, top], "range": ["#eaf2f8", BLUE]}}  # fmt: skip
    land = {"mark": {"type": "geoshape", "stroke": "#ffffff", "strokeWidth": 1.5},
            "encoding": {"color": colour}}  # fmt: skip
    words = {"data": {"values": middles},
             "mark": {"type": "text", "fontSize": 13, "fontWeight": 600},
             "encoding": {"longitude": {"field": "lon", "type": "quantitative"},
                          "latitude": {"field": "lat", "type": "quantitative"}, "text": {"field": "n"},
                          "color": {"condition": {"test": "datum.dark", "value": "#fff"}, "value": "#212529"}}}  # fmt: skip
    return {**_base(width, int(width * 0.85), features), "projection": projection, "layer": [land, words]}


def _middle(feature: Spec) -> tuple[float, float]:
    """A point inside the largest part of an outline, for its number."""
    from shapely.geometry import shape

    parts = [shape({"type": "Polygon", "coordinates": part}) for part in feature["geometry"]["coordinates"]]
    largest = max((part.buffer(0) for part in parts), key=lambda part: part.area)
    point = largest.centroid if largest.contains(largest.centroid) else largest.representative_point()
    return round(point.x, 2), round(point.y, 2)


def svg(spec: Spec) -> str:
    """A specification drawn as SVG, numbers written in the page's language; kept by its content.

    :raises ValueError: it could not be drawn
    """
    french = not str(tk.h.lang()).startswith("en")
    text = json.dumps(spec, sort_keys=True)
    digest = hashlib.sha256(f"{VERSION} {french} {text}".encode()).hexdigest()
    key = f"dinamis:chart:{digest}"
    try:
        found: Any = connect_to_redis().get(key)
        if found:
            return found.decode()
    except RedisError:
        log.warning("Charts are not kept: Redis does not answer.")
    import vl_convert

    locale = "fr-FR" if french else "en-US"
    drawn = vl_convert.vegalite_to_svg(text, vl_version=VERSION, format_locale=locale, time_format_locale=locale)
    with suppress(RedisError):
        connect_to_redis().set(key, drawn, ex=KEEP)
    return drawn
