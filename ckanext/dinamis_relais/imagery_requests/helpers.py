"""Template helpers of requests: an area's outline as a drawing, whose turn it is, reasons in words."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import shapely
from markupsafe import Markup
from shapely.geometry import shape

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.gateway import api
from ckanext.dinamis_relais.imagery_requests import rules
from ckanext.dinamis_relais.imagery_requests.areas import to_equal_area
from ckanext.dinamis_relais.portal import labels

__all__ = [
    "dinamis_request_delivers",
    "dinamis_request_outline",
    "dinamis_request_products",
    "dinamis_request_reasons",
    "dinamis_request_turn",
]


def dinamis_request_outline(area: dict[str, Any] | None, size: int = 96) -> Markup:
    """The outline of an area as a small drawing, north at its top; empty without one.

    :param area: GeoJSON polygons (longitude, latitude)
    :param size: longer side, in pixels
    """
    if not area:
        return Markup("")
    projected = to_equal_area(shape(area))
    west, south, east, north = projected.bounds
    scale = (size - 4) / max(east - west, north - south, 1.0)
    drawn = shapely.transform(projected, lambda xy: (xy - [west, north]) * [scale, -scale] + 2).simplify(0.4)
    parts = getattr(drawn, "geoms", [drawn])
    rings = [ring for part in parts if not part.is_empty for ring in (part.exterior, *part.interiors)]
    path = " ".join("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in ring.coords) + "Z" for ring in rings)
    width, height = (east - west) * scale + 4, (north - south) * scale + 4
    return Markup(  # numbers of ours only  # noqa: S704
        f'<svg class="dinamis-outline" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}"'
        f' role="img" aria-label="{tk._("Outline of the area")}"><path d="{path}" fill="#0b5cad22" stroke="#0b5cad"'
        f' stroke-width="1.5" fill-rule="evenodd"/></svg>'
    )


def dinamis_request_turn(request: dict[str, Any]) -> str:
    """Whose turn it is, and since when: ``Waits for PIGMA since 3 days``; empty for one that is over."""
    side, days = request["waiting_side"], request["waiting_days"]
    if side is None:
        return ""
    who = config.relay_name() if side == "pigma" else "DINAMIS"
    if not days:
        return tk._("Waits for {who} since today").format(who=who)
    return tk.ungettext("Waits for {who} since {n} day", "Waits for {who} since {n} days", days).format(who=who, n=days)


def dinamis_request_products() -> list[rules.Product]:
    """Resolutions that may be asked for."""
    return list(rules.products(config.request_products()))


def dinamis_request_reasons() -> dict[str, str]:
    """Codes of reasons in words."""
    return labels.request_reasons()


def dinamis_request_delivers() -> bool:
    """Whether a request reaches DINAMIS, and its statuses come back, by themselves."""
    return api.enabled()
