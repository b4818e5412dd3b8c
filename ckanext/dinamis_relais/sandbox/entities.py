"""Canned answers of the API Recherche d'entreprises, by its real contract, for a few dozen public bodies."""

from __future__ import annotations

import json
import threading
import time
import unicodedata
from collections import defaultdict, deque
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request

#: Requests that one address may make in a second.
PER_SECOND = 7
#: Secondary parts of a result: all of them are given unless ``minimal`` is asked; ``score`` on demand only.
PARTS: tuple[str, ...] = ("complements", "dirigeants", "finances", "score", "siege", "matching_etablissements", "tva")
#: Largest page, last page, and results that paging can reach.
LARGEST_PAGE, LAST_PAGE, REACHABLE = 25, 1000, 10_000
#: Parameter → what of a body it must equal, one of several values separated by commas.
FILTERS = {
    "nature_juridique": lambda body: body["nature_juridique"],
    "code_postal": lambda body: body["code_postal"],
    "code_commune": lambda body: body["commune"],
    "departement": lambda body: body["commune"][:2],
    "etat_administratif": lambda _body: "A",
}
#: What the real service says of each fault.
NO_SEARCH = "Veuillez indiquer au moins un paramètre de recherche."
TOO_SHORT = "3 caractères minimum pour les termes de la requête (ou utilisez au moins un filtre)"
NOT_MINIMAL = (
    "Veuillez indiquer si vous souhaitez une réponse minimale avec le filtre `minimal=True`` "
    "avant de préciser les champs à inclure."
)


class _Unfit(ValueError):
    """A request that the real service answers with 400; the text is its ``erreur``."""


@cache
def data() -> dict[str, Any]:
    """What ``data/build.py`` made: communes, EPCI, départements and bodies."""
    return json.loads((Path(__file__).parent / "data" / "bodies.json").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Lower case, without accents, hyphens as blanks: how names are compared."""
    found = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(found.replace("-", " ").replace("'", " ").split())


class Throttle:
    """Who asked how often in the last second; safe for threads."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def refuses(self, address: str, now: float) -> bool:
        """Whether a call comes too soon; one that is refused does not count.

        :param now: seconds of a clock that never goes back
        """
        with self._lock:
            calls = self._calls[address]
            while calls and calls[0] <= now - 1:
                calls.popleft()
            if len(calls) >= PER_SECOND:
                return True
            calls.append(now)
            return False


def _number(name: str, least: int, most: int, default: int) -> int:
    """A whole number of the query.

    :raises _Unfit: out of bounds, or no number
    """
    given = request.args.get(name, "")
    value = int(given) if given.isascii() and given.isdigit() else default if not given else None
    if value is None or not least <= value <= most:
        bounds = f"entre `{least}` et `{most}`, par défaut `{default}`"
        raise _Unfit(f"Veuillez indiquer un paramètre `{name}` {bounds}.")
    return value


def _parts() -> set[str]:
    """The secondary parts that each result must have.

    :raises _Unfit: an unknown part, or parts without ``minimal``
    """
    minimal = request.args.get("minimal", "").lower() == "true"
    asked = {part.strip().lower() for part in request.args.get("include", "").split(",") if part.strip()}
    if asked and not minimal:
        raise _Unfit(NOT_MINIMAL)
    if asked - set(PARTS):
        raise _Unfit(f"Au moins un champ à inclure est non valide. Les champs valides : {list(PARTS)}.")
    return asked if minimal else set(PARTS) - {"score"}


def _head(body: dict[str, Any]) -> dict[str, Any]:
    centre = next((c["centre"] for c in data()["communes"] if c["code"] == body["commune"]), None)
    longitude, latitude = (str(number) for number in centre) if centre else (None, None)
    return {
        "siret": body["siret"], "est_siege": True, "adresse": body["adresse"], "code_postal": body["code_postal"],
        "commune": body["commune"], "departement": body["commune"][:2], "region": "75",
        "libelle_commune": body["libelle_commune"].upper(), "etat_administratif": "A",
        "longitude": longitude, "latitude": latitude,
    }  # fmt: skip


def _result(body: dict[str, Any], parts: set[str]) -> dict[str, Any]:
    """One legal unit; ``synthetique`` names what of it is made up."""
    category = body["nature_juridique"]
    secondary: dict[str, Any] = {
        "siege": _head(body),
        "matching_etablissements": [_head(body)],
        "complements": {"est_service_public": category.startswith("7"), "est_association": category.startswith("92")},
        "dirigeants": [],
        "finances": None,
        "tva": {"tva_fr": None},
        "score": 1.0,
    }  # fmt: skip
    return {
        "siren": body["siren"], "nom_complet": body["nom"], "nom_raison_sociale": body["nom"], "sigle": None,
        "nombre_etablissements": 1, "nombre_etablissements_ouverts": 1, "etat_administratif": "A",
        "nature_juridique": category, "statut_diffusion": "O", "synthetique": body["synthetique"],
        **{name: value for name, value in secondary.items() if name in parts},
    }  # fmt: skip


def _found() -> list[dict[str, Any]]:
    """Bodies that the request asks for; a SIREN or SIRET ignores every filter, as the real service does.

    :raises _Unfit: nothing or too little is asked
    """
    query, bodies = request.args.get("q", "").strip(), data()["bodies"]
    if query.isascii() and query.isdigit() and len(query) in (9, 14):
        return [b for b in bodies if b["siren" if len(query) == 9 else "siret"] == query]
    filters = {name: request.args[name].split(",") for name in FILTERS if request.args.get(name)}
    if not query and not filters:
        raise _Unfit(NO_SEARCH)
    if query and len(query) < 3 and not filters:
        raise _Unfit(TOO_SHORT)
    for name, values in filters.items():
        bodies = [b for b in bodies if FILTERS[name](b) in values]
    words = plain(query).split()

    def lacking(text: str) -> bool:
        return not all(word in plain(text) for word in words)

    found = [b for b in bodies if not lacking(f"{b['nom']} {b['libelle_commune']}")]
    return sorted(found, key=lambda b: lacking(b["nom"]))


def _page() -> dict[str, Any]:
    """The whole answer of ``/search``.

    :raises _Unfit: a parameter that the real service refuses
    """
    parts, page = _parts(), _number("page", 1, LAST_PAGE, 1)
    size = _number("per_page", 1, LARGEST_PAGE, 10)
    found = _found()
    if page * size > REACHABLE:
        raise _Unfit("Le nombre total de résultats est restreint à 10 000.")
    return {
        "results": [_result(b, parts) for b in found[(page - 1) * size : page * size]],
        "total_results": len(found), "page": page, "per_page": size, "total_pages": -(-len(found) // size),
    }  # fmt: skip


def blueprint() -> Blueprint:
    """The routes, for the application to put under ``/recherche-entreprises``."""
    routes, throttle = Blueprint("entities", __name__), Throttle()

    @routes.get("/search")
    def search() -> Any:
        """By SIREN (9 digits), SIRET (14 digits), or text of three characters at least."""
        if throttle.refuses(request.remote_addr or "", time.monotonic()):
            return jsonify(erreur="Trop de requêtes (bac à sable)."), 429, {"Retry-After": "1"}
        try:
            return jsonify(_page())
        except _Unfit as error:
            return jsonify(erreur=str(error)), 400

    @routes.after_request
    def cors(response: Response) -> Response:
        """A page of another site may ask, as with the real service."""
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return routes
