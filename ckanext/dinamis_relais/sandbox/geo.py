"""Canned answers of API Géo, by its real contract, for the territories of ``data/``.

Outlines are real but simplified; ``README.md`` says where they come from.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request
from shapely import Point
from shapely.geometry import shape

from ckanext.dinamis_relais.sandbox.entities import data, plain

#: Kind of territory → fields given when none is asked for, as the real service does.
DEFAULT_FIELDS = {
    "communes": ("nom", "code", "codeDepartement", "siren", "codeEpci", "codeRegion", "codesPostaux", "population"),
    "epcis": ("nom", "code", "codesDepartements", "codesRegions", "population"),
    "departements": ("nom", "code", "codeRegion"),
    "regions": ("nom", "code"),
}
#: Kind → parameters that must equal a field.
FILTERS = {
    "communes": ("code", "siren", "codeEpci", "codeDepartement", "codeRegion"),
    "epcis": ("code",),
    "departements": ("code", "codeRegion"),
    "regions": ("code",),
}
#: Kind → parameters that must be one of a field's values.
LISTED = {
    "communes": {"codePostal": "codesPostaux"},
    "epcis": {"codeDepartement": "codesDepartements", "codeRegion": "codesRegions"},
}
GEOMETRIES = ("centre", "contour", "bbox")
#: (kind above, kind below) → field below that holds the code above.
BELOW = {
    ("epcis", "communes"): "codeEpci",
    ("departements", "communes"): "codeDepartement",
    ("regions", "departements"): "codeRegion",
}


@cache
def _outlines() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "data" / "outlines.json").read_text(encoding="utf-8"))


@cache
def _shape(kind: str, code: str) -> Any:
    return shape(_outlines()[kind][code]["contour"])


def _box(kind: str, code: str) -> dict[str, Any]:
    west, south, east, north = _shape(kind, code).bounds
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _all(kind: str) -> list[dict[str, Any]]:
    """Every territory of a kind with all that can be asked of it."""
    if kind == "regions":
        known: list[dict[str, Any]] = [{"code": "75", "nom": "Nouvelle-Aquitaine"}]
    elif kind == "epcis":
        known = [{**e, "codesDepartements": [e["codeDepartement"]], "codesRegions": ["75"]} for e in data()["epcis"]]
    else:
        known = data()[kind]
    return [{**one, **_drawn(kind, one["code"])} for one in known]


def _drawn(kind: str, code: str) -> dict[str, Any]:
    outline = _outlines()[kind][code]
    centre = {"type": "Point", "coordinates": outline["centre"]}
    return {
        "centre": centre, "contour": outline["contour"], "surface": outline["surface"], "bbox": _box(kind, code),
    }  # fmt: skip


def _point() -> Point | None:
    """The place that ``lat`` and ``lon`` give (degrees, WGS 84), None when they give none."""
    latitude, longitude = request.args.get("lat", type=float), request.args.get("lon", type=float)
    if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Point(longitude, latitude)


def _score(asked: str, found: dict[str, Any]) -> float:
    """How well a name answers, 0 to 1: the whole name first, then a beginning, then a part."""
    name = plain(found["nom"])
    if name == asked:
        return 1.0
    share = len(asked) / len(name)
    return round(share if name.startswith(asked) else share / 2, 6)


def _found(kind: str) -> list[dict[str, Any]]:
    """Territories that the present request asks for, the best first."""
    args, found = request.args, _all(kind)
    for name in FILTERS[kind]:
        if args.get(name):
            found = [f for f in found if f.get(name) == args[name]]
    for name, field in LISTED.get(kind, {}).items():
        if args.get(name):
            found = [f for f in found if args[name] in f[field]]
    point = _point() if kind == "communes" else None
    if point is not None:
        found = [f for f in found if _shape(kind, f["code"]).covers(point)]
    asked = plain(args.get("nom", ""))
    if asked:
        found = [{**f, "_score": _score(asked, f)} for f in found if asked in plain(f["nom"])]
        people = args.get("boost") == "population"
        found.sort(key=lambda f: (f["_score"] == 1, f.get("population", 0) if people else f["_score"]), reverse=True)
    return found


def _answer(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """One territory as JSON or as a GeoJSON feature, with the fields that were asked for."""
    asked = [name.strip() for name in request.args.get("fields", "").split(",") if name.strip()]
    fields = {*(asked or DEFAULT_FIELDS[kind]), "nom", "code", "_score"}
    if request.args.get("format") != "geojson":
        return {name: value for name, value in found.items() if name in fields}
    geometry = request.args.get("geometry")
    chosen = found[geometry if geometry in GEOMETRIES else "centre"]
    properties = {name: value for name, value in found.items() if name in fields and name not in GEOMETRIES}
    return {"type": "Feature", "properties": properties, "geometry": chosen}


def _answers(kind: str, found: list[dict[str, Any]]) -> Any:
    limit = request.args.get("limit", type=int)
    answers = [_answer(kind, f) for f in (found[:limit] if limit and limit > 0 else found)]
    if request.args.get("format") == "geojson":
        return jsonify(type="FeatureCollection", features=answers)
    return jsonify(answers)


def _unknown() -> Response:
    return Response("Not Found", 404, mimetype="text/plain")


def blueprint() -> Blueprint:
    """The routes, for the application to put under ``/geo``."""
    routes = Blueprint("geo", __name__)
    kinds = f"any({', '.join(DEFAULT_FIELDS)})"

    @routes.get(f"/<{kinds}:kind>")
    def search(kind: str) -> Any:
        """Territories by name (best first), code, postal code, place (``lat``, ``lon``), what they belong to."""
        return _answers(kind, _found(kind))

    @routes.get(f"/<{kinds}:kind>/<code>")
    def read(kind: str, code: str) -> Any:
        """One territory by its code."""
        found = next((f for f in _all(kind) if f["code"] == code), None)
        return _unknown() if found is None else jsonify(_answer(kind, found))

    @routes.get(f"/<{kinds}:kind>/<code>/<any(communes, departements):below>")
    def belonging(kind: str, code: str, below: str) -> Any:
        """The communes of an EPCI or a département, the départements of a région: those that the sandbox holds."""
        field = BELOW.get((kind, below))
        if field is None or all(f["code"] != code for f in _all(kind)):
            return _unknown()
        return _answers(below, [f for f in _all(below) if f.get(field) == code])

    @routes.after_request
    def cors(response: Response) -> Response:
        """A page of another site may ask, as with the real service."""
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return routes
