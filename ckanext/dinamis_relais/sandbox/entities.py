"""Canned answers of the API Recherche d'entreprises, by its real contract, for a few dozen public bodies."""

from __future__ import annotations

import json
import time
import unicodedata
from collections import defaultdict, deque
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify, request

routes = Blueprint("entities", __name__)

PER_SECOND = 7
_calls: dict[str, deque[float]] = defaultdict(deque)


@cache
def data() -> dict[str, Any]:
    """What ``data/build.py`` made: communes, EPCI, départements and bodies."""
    return json.loads((Path(__file__).parent / "data" / "bodies.json").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Lower case, without accents, hyphens as blanks: how names are compared."""
    found = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(found.replace("-", " ").replace("'", " ").split())


def _result(body: dict[str, Any]) -> dict[str, Any]:
    centre = next((c["centre"] for c in data()["communes"] if c["code"] == body["commune"]), [None, None])
    head = {
        "siret": body["siret"], "adresse": body["adresse"], "code_postal": body["code_postal"],
        "commune": body["commune"], "libelle_commune": body["libelle_commune"], "etat_administratif": "A",
        "longitude": str(centre[0]), "latitude": str(centre[1]),
    }  # fmt: skip
    return {
        "siren": body["siren"], "nom_complet": body["nom"], "nom_raison_sociale": body["nom"], "sigle": None,
        "nature_juridique": body["nature_juridique"], "etat_administratif": "A", "siege": head,
        "complements": {"est_service_public": body["nature_juridique"].startswith("7"),
                        "est_association": body["nature_juridique"].startswith("92")},
        "synthetique": body["synthetique"],
    }  # fmt: skip


def _too_fast() -> bool:
    calls, now = _calls[request.remote_addr or ""], time.monotonic()
    while calls and calls[0] < now - 1:
        calls.popleft()
    calls.append(now)
    return len(calls) > PER_SECOND


@routes.get("/search")
def search() -> Any:
    """By SIREN (9 digits), SIRET (14 digits), or text of three characters at least."""
    if _too_fast():
        return jsonify(erreur="Trop de requêtes (bac à sable)."), 429, {"Retry-After": "1"}
    query = request.args.get("q", "").strip()
    if len(query) < 3:
        return jsonify(erreur="3 caractères minimum pour les termes de la requête."), 400
    page, per_page = (request.args.get(n, d, int) for n, d in (("page", 1), ("per_page", 10)))
    if not 1 <= per_page <= 25 or page < 1:
        return jsonify(erreur="Veuillez indiquer un paramètre `per_page` entre `1` et `25`."), 400
    bodies = data()["bodies"]
    if query.isdigit() and len(query) in (9, 14):
        key = "siren" if len(query) == 9 else "siret"
        found = [b for b in bodies if b[key] == query]
    else:
        words = plain(query).split()
        found = [b for b in bodies if all(word in plain(b["nom"]) for word in words)]
    results = [_result(b) for b in found[(page - 1) * per_page : page * per_page]]
    return jsonify(results=results, total_results=len(found), page=page, per_page=per_page,
                   total_pages=-(-len(found) // per_page))  # fmt: skip


def blueprint() -> Blueprint:
    """The routes, for the application to put under ``/recherche-entreprises``."""
    return routes
