"""Canned answers of API Géo, by its real contract. Outlines are synthetic, and say so."""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, jsonify, request

from .entities import data, plain

routes = Blueprint("geo", __name__)

_KINDS = ("communes", "epcis", "departements", "regions")
#: Half the side of a synthetic outline, in degrees of latitude, by kind of territory.
_HALF = {"communes": 0.03, "epcis": 0.12, "departements": 0.45, "regions": 2.2}
_ALWAYS = ("code", "nom")


def _all(kind: str) -> list[dict[str, Any]]:
    if kind == "regions":
        return [{"code": "75", "nom": "Nouvelle-Aquitaine", "centre": [0.3, 45.0]}]
    found = data()[kind]
    if kind != "departements":
        return found
    first = {}
    for commune in data()["communes"]:
        first.setdefault(commune["codeDepartement"], commune["centre"])
    return [{**d, "centre": first.get(d["code"], [0.3, 45.0])} for d in found]


def _outline(kind: str, centre: list[float]) -> dict[str, Any]:
    """A closed octagon around the centre (longitude, latitude)."""
    half = _HALF[kind]
    wide = half / math.cos(math.radians(centre[1]))
    angles = [math.radians(22.5 + 45 * i) for i in range(8)]
    ring = [[round(centre[0] + wide * math.cos(a), 6), round(centre[1] + half * math.sin(a), 6)] for a in angles]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _fields() -> list[str]:
    return [f.strip() for f in request.args.get("fields", "").split(",") if f.strip()]


def _answer(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """One territory as JSON or as a GeoJSON feature, with the fields that were asked for."""
    geometry = {"type": "Point", "coordinates": found["centre"]}
    outline = _outline(kind, found["centre"])
    # API Géo gives a surface in hectares; this one is the synthetic outline's.
    half_km = _HALF[kind] * 111.2
    more = {"centre": geometry, "contour": outline, "surface": round(2.83 * half_km * half_km * 100, 1)}
    fields = _fields()
    plain_fields = {k: v for k, v in found.items() if k != "centre" and (not fields or k in fields or k in _ALWAYS)}
    if request.args.get("format") != "geojson":
        return plain_fields | {k: v for k, v in more.items() if k in fields}
    wanted = request.args.get("geometry", "centre")
    extra = {"surface": more["surface"]} if "surface" in fields else {}
    properties = {**plain_fields, **extra, "synthetique": "contour"}
    return {"type": "Feature", "properties": properties, "geometry": outline if wanted == "contour" else geometry}


@routes.get(f"/<any({', '.join(_KINDS)}):kind>")
def search(kind: str) -> Any:
    """Territories by name (best first), code, postal code, département, région."""
    args, found = request.args, _all(kind)
    for name in ("code", "codeDepartement", "codeRegion", "codeEpci", "siren"):
        if args.get(name):
            found = [f for f in found if str(f.get(name)) == args[name]]
    if args.get("codePostal"):
        found = [f for f in found if args["codePostal"] in f.get("codesPostaux", ())]
    if args.get("nom"):
        asked = plain(args["nom"])
        found = [f for f in found if asked in plain(f["nom"])]
        # Like the real one: an exact name first, then a beginning, then the most populated.
        found.sort(
            key=lambda f: (plain(f["nom"]) != asked, not plain(f["nom"]).startswith(asked), -f.get("population", 0))
        )
    limit = args.get("limit", type=int)
    answers = [_answer(kind, f) for f in found[:limit]]
    if args.get("format") == "geojson":
        return jsonify(type="FeatureCollection", features=answers)
    return jsonify(answers)


@routes.get(f"/<any({', '.join(_KINDS)}):kind>/<code>")
def read(kind: str, code: str) -> Any:
    """One territory by its code."""
    found = next((f for f in _all(kind) if f["code"] == code), None)
    if found is None:
        return jsonify(code=404, message="Not found"), 404
    return jsonify(_answer(kind, found))


def blueprint() -> Blueprint:
    """The routes, for the application to put under ``/geo``."""
    return routes
