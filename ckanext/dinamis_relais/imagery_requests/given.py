"""The area that somebody gives: drawn, in a file, or a territory's; said in sentences where it is wrong."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any

import ckan.plugins.toolkit as tk
import orjson
import shapely
from shapely.geometry import mapping, shape

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.imagery import territories
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable
from ckanext.dinamis_relais.imagery_requests import areas, messages
from ckanext.dinamis_relais.imagery_requests.areas import Area, AreaProblem, Limits

#: Kinds of territory that a request may name; a région is more than a satellite is programmed for.
KINDS = ("commune", "epci", "departement")


@dataclass(frozen=True)
class Given:
    """An area and where it came from.

    :ivar source: one of ``rules.SOURCES``
    :ivar title: what it may be called: the file's name, the territory's; empty for a drawn one
    :ivar others: territories of a like name
    """

    area: Area
    source: str
    title: str = ""
    others: tuple[territories.Territory, ...] = ()


def limits() -> Limits:
    """What the operator lets in."""
    return Limits(
        config.request_area_mb(), config.request_area_unpacked_mb(), config.request_area_points(),
        config.request_max_km2(),
    )  # fmt: skip


def _territory(kind: str, text: str) -> Given:
    if kind not in KINDS:
        raise tk.ValidationError({"place_kind": [tk._("Choose commune, EPCI or département.")]})
    try:
        found = territories.find(kind, text)
        whole = territories.read(kind, found[0].code) if found else None
    except PlaceUnavailable as error:
        sentence = tk._("The place could not be looked up just now. Try again later, or draw the area.")
        raise tk.ValidationError({"place": [sentence]}) from error
    if whole is None or whole.outline is None:
        sentence = tk._("No territory of this kind has this name or code. Check the spelling, or draw the area.")
        raise tk.ValidationError({"place": [sentence]})
    allowed = limits()
    outline, tolerance = shape(whole.outline), 0.0002
    simplified = shapely.get_num_coordinates(outline) > allowed.points
    while shapely.get_num_coordinates(outline) > allowed.points and tolerance < 1:
        outline, tolerance = outline.simplify(tolerance), tolerance * 2
    area = areas.from_geometry(orjson.loads(orjson.dumps(mapping(outline))), allowed)
    if simplified:
        area = replace(area, notes=(*area.notes, "simplified"))
    return Given(area, "place", whole.label, tuple(one for one in found if one.code != whole.code))


def _content(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise tk.ValidationError({"file_content": [tk._("Give the file's content in base64.")]}) from error


def read(data: dict[str, Any], allowed: Limits | None = None) -> Given:
    """The area of an input: ``file_name`` with ``file_content``, or ``area``, or ``place`` with ``place_kind``.

    :param allowed: what is let in; by default what a request may hold
    :raises toolkit.ValidationError: by field, what is wrong and what to do
    """
    field = "area"
    try:
        if data.get("file_name"):
            field, name = "file_name", str(data["file_name"])
            area = areas.from_file(name, _content(data.get("file_content") or b""), allowed or limits())
            return Given(area, "file", name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0][:100])
        if data.get("area"):
            return Given(areas.from_geometry(data["area"], allowed or limits()), "drawn")
        if data.get("place"):
            field = "place"
            return _territory(str(data.get("place_kind") or "commune"), str(data["place"]))
    except AreaProblem as error:
        raise tk.ValidationError({field: [messages.problem(error)]}) from error
    raise tk.ValidationError({"area": [tk._("Say where: name a territory, send a file, or draw the area.")]})


def as_dict(given: Given) -> dict[str, Any]:
    """A given area as the actions answer it."""
    return {
        "area": given.area.geometry, "area_km2": given.area.km2, "source": given.source, "title": given.title,
        "notes": [{"kind": kind, "text": messages.note(kind)} for kind in given.area.notes],
        "others": [{"kind": one.kind, "code": one.code, "name": one.name} for one in given.others],
    }  # fmt: skip
