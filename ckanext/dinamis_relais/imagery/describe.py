"""A stored item as its page and its row say it: dates, clouds, angles, assets in a person's words."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

import ckan.plugins.toolkit as tk
import shapely
from babel.dates import format_time
from babel.numbers import format_decimal
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ckanext.dinamis_relais.dates import in_words
from ckanext.dinamis_relais.imagery.moments import parse_moment
from ckanext.dinamis_relais.imagery.normalise import platform_of
from ckanext.dinamis_relais.imagery.settings import ASSET_ROLES
from ckanext.dinamis_relais.imagery.words import platform_name

#: The sandbox marks its scenes so; whoever sees one is told that it is made up.
SYNTHETIC = "dinamis_relais:synthetic"


def locale() -> str:
    """The page's language as Babel names it."""
    return str(tk.h.lang() or "fr").replace("-", "_")


def number(value: float, digits: int = 0, language: str = "") -> str:
    """A number as the page's language writes it.

    :param language: as :func:`locale` gives it, when it was asked for already: a list's rows need it often
    """
    return _number(value, digits, language or locale())


def percents(value: float, digits: int = 0, language: str = "") -> str:
    """The same with its sign, which stays on its line.

    :param value: 0 to 100
    """
    return f"{number(value, digits, language)}\u00a0%"


@lru_cache(maxsize=8192)
def _number(value: float, digits: int, language: str) -> str:
    """The same, remembered: a page of figures says the same ones to everybody."""
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=language)


def row(item: dict[str, Any], place: BaseGeometry | None = None) -> dict[str, Any]:
    """What a list says of a scene.

    :param item: STAC item
    :param place: the chosen place as :func:`area_of` reads it, for the share of it that the scene covers
    """
    properties = item.get("properties") or {}
    moment, language = moment_of(item), locale()
    return {
        "id": item["id"], "collection": item["collection"], "key": f"{item['collection']}/{item['id']}",
        "date": day(moment, language), "time": time(moment, language), "moment": moment,
        "sensor": platform_name(platform_of(item)) or tk._("Unknown satellite"),
        "cloud": cloud(properties.get("eo:cloud_cover"), language), "share": share(item, place),
        "picture": picture(item), "synthetic": bool(properties.get(SYNTHETIC)),
    }  # fmt: skip


def moment_of(item: dict[str, Any]) -> dt.datetime | None:
    """Acquisition, or its start, in the site's time zone."""
    properties = item.get("properties") or {}
    moment = parse_moment(properties.get("datetime"))[0] or parse_moment(properties.get("start_datetime"))[0]
    return moment.astimezone(tk.h.get_display_timezone()) if moment else None


def day(moment: dt.datetime | None, language: str = "") -> str:
    """``mercredi 12 juillet 2023``."""
    return in_words(moment, "full", language or locale()) if moment else tk._("unknown date")


def time(moment: dt.datetime | None, language: str = "") -> str:
    """``12:34 UTC+2``, with its zone so that nobody has to guess."""
    return f"{_clock(moment.hour, moment.minute, language or locale())} {moment.tzname()}" if moment else ""


@lru_cache(maxsize=4096)
def _clock(hour: int, minute: int, language: str) -> str:
    return format_time(dt.time(hour, minute), "short", locale=language)


def cloud(value: Any, language: str = "") -> str:
    """``3 %``, or that it is not known: never 0 for what nobody measured."""
    return percents(value, 1, language) if isinstance(value, (int, float)) else tk._("unknown")


def area_of(place: dict[str, Any] | None) -> BaseGeometry | None:
    """The outline of a place, read once for a whole list: a real one has a thousand points; None without an area.

    :param place: GeoJSON geometry
    """
    try:
        outline = shapely.make_valid(shape(place)) if place else None
    except (shapely.errors.GEOSException, ValueError, TypeError, KeyError):
        return None
    return outline if outline is not None and outline.area else None


def share(item: dict[str, Any], place: BaseGeometry | None) -> str | None:
    """Percent of a place that a scene's footprint covers, in words where 0 would deny that it is in the list; None
    without a place that has an area.
    """
    if place is None:
        return None
    try:
        covered = shapely.make_valid(shape(item["geometry"])).intersection(place).area / place.area
    except (shapely.errors.GEOSException, ValueError, TypeError, KeyError):
        return None
    return tk._("less than 1 %") if 0 < covered < 0.005 else percents(min(100.0, covered * 100))


def picture(item: dict[str, Any]) -> str | None:
    """Address of the item's thumbnail or quicklook, None when it has none."""
    for role in ("thumbnail", "quicklook"):
        asset = asset_of(item, role)
        if asset and str(asset.get("type", "image/")).startswith("image/"):
            return asset["href"]
    return None


def asset_of(item: dict[str, Any], role: str, roles: dict[str, list[str]] | None = None) -> dict[str, Any] | None:
    """The asset that plays a role: under one of its known keys, or by its own ``roles``."""
    assets = item.get("assets") or {}
    known = (roles or {}).get(role) or ASSET_ROLES[role]
    for key in known:
        if key in assets:
            return assets[key]
    return next((asset for asset in assets.values() if role in (asset.get("roles") or [])), None)


def angles(properties: dict[str, Any]) -> list[tuple[str, str]]:
    """View and sun angles in words with the figure: (what, said)."""
    said = []
    incidence = properties.get("view:incidence_angle", properties.get("view:off_nadir"))
    if isinstance(incidence, (int, float)):
        words = (
            tk._("seen almost from straight above") if abs(incidence) < 10
            else tk._("seen slightly from the side") if abs(incidence) < 20
            else tk._("seen from the side: relief and buildings lean")
        )  # fmt: skip
        said.append((tk._("Viewing angle"), f"{words} ({number(incidence, 1)}°)"))
    sun = properties.get("view:sun_elevation")
    if isinstance(sun, (int, float)):
        words = (
            tk._("low sun: long shadows") if sun < 30
            else tk._("sun of medium height") if sun < 50
            else tk._("high sun: short shadows")
        )  # fmt: skip
        said.append((tk._("Sun"), f"{words} ({number(sun, 1)}°)"))
    return said


def assets(item: dict[str, Any], roles: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The item's files: what each is, its format and size; addresses are unsigned."""
    names = {
        "multispectral": tk._("Multispectral image (colours and near infrared)"),
        "panchromatic": tk._("Panchromatic image (black and white, finest detail)"),
        "thumbnail": tk._("Thumbnail"), "quicklook": tk._("Quicklook"), "metadata": tk._("Metadata file"),
    }  # fmt: skip
    found = []
    for key, asset in (item.get("assets") or {}).items():
        role = next((role for role in names if asset is asset_of(item, role, roles)), None)
        found.append({
            "key": key, "name": names.get(role or "") or asset.get("title") or key,
            "title": asset.get("title"),
            "format": _format(asset), "size": _size(asset.get("file:size")), "href": asset["href"],
            "natural": natural_colours(asset),
        })  # fmt: skip
    return found


def natural_colours(asset: dict[str, Any]) -> dict[str, int]:
    """Which bands of a file are red, green and blue, counted from 1; only those that the source names.

    STAC 1.1 names them in ``bands`` (``eo:common_name``), earlier versions in ``eo:bands`` (``common_name``).
    """
    for field, key in (("bands", "eo:common_name"), ("eo:bands", "common_name")):
        bands = asset.get(field)
        names = [isinstance(one, dict) and one.get(key) for one in (bands if isinstance(bands, list) else [])]
        found = {name: names.index(name) + 1 for name in ("red", "green", "blue") if name in names}
        if found:
            return found
    return {}


def _format(asset: dict[str, Any]) -> str:
    kind = str(asset.get("type") or "")
    if "cloud-optimized" in kind:
        return "COG"
    known = {"image/tiff": "GeoTIFF", "image/jpeg": "JPEG", "image/png": "PNG", "application/json": "JSON"}
    return next((name for start, name in known.items() if kind.startswith(start)), kind or tk._("unknown"))


def _size(value: Any) -> str:
    """Octets as ``412 Mo``."""
    if not isinstance(value, (int, float)) or value <= 0:
        return tk._("unknown")
    for unit, size in (("Go", 1e9), ("Mo", 1e6), ("ko", 1e3)):
        if value >= size:
            return f"{number(value / size, 1 if value < 10 * size else 0)} {unit}"
    return f"{number(value)} o"


def area_km2(item: dict[str, Any]) -> float:
    """Area of the footprint in square kilometres, on the ellipsoid."""
    from pyproj import Geod

    return abs(Geod(ellps="GRS80").geometry_area_perimeter(shape(item["geometry"]))[0]) / 1e6


def centre(item: dict[str, Any]) -> tuple[float, float]:
    """Longitude and latitude of the footprint's centre."""
    point = shape(item["geometry"]).centroid
    return point.x, point.y
