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
WIDE, NARROW = 400, 290
BLUE, GREEN, AMBER, GREY = "#0b5cad", "#1b7f4b", "#b26a00", "#6b747d"
#: What the drawing is measured with here; Arial and Helvetica are as wide.
_FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_OUTLINES = Path(__file__).parent.parent / "public" / "dinamis" / "departments.json"

Spec = dict[str, Any]


def _base(width: int, height: int, values: list[Spec]) -> Spec:
    axis = {"labelFontSize": 13, "labelColor": "#343a40", "gridColor": "#e3e6e9", "domainColor": "#adb5bd",
            "tickColor": "#adb5bd"}  # fmt: skip
    # A reader's font may be wider than the one measured here: what stands side by side has room to spare.
    legend = {"labelFontSize": 13, "orient": "top", "labelLimit": 330, "columns": 1 if width < WIDE else 2,
              "columnPadding": 36, "title": None}  # fmt: skip
    return {
        "width": width, "height": height, "data": {"values": values}, "background": "transparent",
        "autosize": {"type": "fit", "contains": "padding"}, "padding": {"left": 12, "right": 12, "top": 5, "bottom": 5},
        "config": {"font": _FONT, "axis": axis, "legend": legend, "view": {"stroke": None}},
    }  # fmt: skip


def _months(values: list[Spec]) -> Spec:
    # Labels that do not fit are left out, never turned.
    axis = {"labelOverlap": "parity", "labelSeparation": 14, "labelAngle": 0, "title": None}
    return {"field": "label", "type": "ordinal", "sort": [row["label"] for row in values], "axis": axis}


def _amount(top: float, stack: bool | None = None) -> Spec:
    axis: Spec = {"format": ",~r", "tickCount": 5, "domain": False, "ticks": False}
    if top <= 5:  # no fifth of a member
        axis["values"] = list(range(int(top) + 2))
    found = {"field": "value", "type": "quantitative", "title": None, "axis": axis}
    return found if stack is None else {**found, "stack": stack}


def _top(values: list[Spec]) -> float:
    return max((row["value"] for row in values), default=0)


def line(width: int, values: list[Spec]) -> Spec:
    """How many there were at the end of each month: rows ``label, value``."""
    shape = {"color": BLUE, "interpolate": "monotone"}
    marks = [{"mark": {"type": "area", **shape, "opacity": 0.15}},
             {"mark": {"type": "line", **shape, "strokeWidth": 2.5, "point": {"color": BLUE, "size": 40}}}]  # fmt: skip
    return {**_base(width, 220, values), "encoding": {"x": _months(values), "y": _amount(_top(values))}, "layer": marks}


def columns(width: int, values: list[Spec]) -> Spec:
    """How much came in each month: rows ``label, value``."""
    mark = {"type": "bar", "color": BLUE, "cornerRadiusEnd": 2}
    return {**_base(width, 220, values), "mark": mark, "encoding": {"x": _months(values), "y": _amount(_top(values))}}


def stacked(width: int, rows: list[Spec], series: list[tuple[str, str]], stack: bool = True) -> Spec:
    """Several series a month, one above or beside the other: rows ``label`` and each series' key.

    :param series: (key, label) of each, in the order in which they are drawn
    """
    labels = [label for _key, label in series]
    values = [{"label": row["label"], "series": label, "order": n, "value": row[key] or 0}
              for row in rows for n, (key, label) in enumerate(series)]  # fmt: skip
    sums = [sum(row[key] or 0 for key, _label in series) for row in rows]
    top = max(sums, default=0) if stack else _top(values)
    encoding: Spec = {
        "x": _months(rows), "y": _amount(top, stack or None), "order": {"field": "order"},
        "color": {"field": "series", "type": "nominal", "sort": labels,
                  "scale": {"domain": labels, "range": [BLUE, AMBER, GREEN, GREY][: len(series)]}},
    }  # fmt: skip
    if not stack:
        encoding["xOffset"] = {"field": "series", "sort": labels}
    return {**_base(width, 240, values), "mark": {"type": "bar"}, "encoding": encoding}


def bars(width: int, values: list[Spec], digits: int = 0) -> Spec:
    """One bar a row, its words above it and its number at its end: rows ``label, value``."""
    top = max([row["value"] for row in values] or [1]) * 1.3 or 1
    y = {"field": "label", "type": "nominal", "sort": None, "axis": None}
    x = {"field": "value", "type": "quantitative", "axis": None, "scale": {"domain": [0, top]}}
    words = {"type": "text", "align": "left", "fontSize": 13, "color": "#212529", "limit": width}
    number = {"field": "value", "type": "quantitative", "format": f",.{digits}f"}
    layers = [
        {"mark": {**words, "yOffset": -8}, "encoding": {"x": {"value": 0}, "text": {"field": "label"}}},
        {
            "mark": {"type": "bar", "color": BLUE, "cornerRadiusEnd": 2, "height": 12, "yOffset": 9},
            "encoding": {"x": x},
        },
        {"mark": {**words, "dx": 5, "yOffset": 9, "color": "#495057"}, "encoding": {"x": x, "text": number}},
    ]
    return {**_base(width, 42 * len(values) + 10, values), "encoding": {"y": y}, "layer": layers}


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
                          "color": {"condition": {"test": "datum.dark", "value": "#fff"},
                                    "value": "#212529"}}}  # fmt: skip
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
