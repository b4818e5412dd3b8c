"""The API Recherche d'entreprises: who a SIREN is. Its contract is public and needs no key.

Down and wrong are told apart: a service that does not answer never blocks a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from ckanext.dinamis_relais import __version__, config
from ckanext.dinamis_relais.net import check_host

#: Seconds for a person who waits before a form.
TIMEOUT = 6
USER_AGENT = f"ckanext-dinamis-relais/{__version__}"
HIDDEN = "[NON-DIFFUSIBLE]"


@dataclass(frozen=True)
class Lookup:
    """What the service said.

    :ivar available: False when it did not answer as it should; then ``problem`` says what happened
    :ivar results: entities, each with ``siren, siret, name, legal_category, address, postal_code, commune_code,
        commune_name``
    :ivar retry_after: seconds to wait, when it asked us to
    """

    available: bool
    results: list[dict[str, Any]]
    problem: str = ""
    retry_after: int | None = None


def _entity(found: dict[str, Any]) -> dict[str, Any]:
    head = found.get("siege") or {}

    def shown(value: Any) -> str:
        return "" if value in (None, HIDDEN) else str(value)

    return {
        "siren": shown(found.get("siren")),
        "siret": shown(head.get("siret")),
        "name": shown(found.get("nom_complet") or found.get("nom_raison_sociale")),
        "legal_category": shown(found.get("nature_juridique")),
        "address": shown(head.get("adresse")),
        "postal_code": shown(head.get("code_postal")),
        "commune_code": shown(head.get("commune")),
        "commune_name": shown(head.get("libelle_commune")).title(),
        "active": found.get("etat_administratif", "A") == "A",
    }


def lookup(query: str, limit: int = 10) -> Lookup:
    """Search entities by SIREN, SIRET or name. Network: never call it with a transaction open.

    :param query: nine or fourteen digits, or three characters at least
    :param limit: 1 to 25 results
    """
    base = config.entity_search_url()
    try:
        check_host(urlsplit(base).hostname or "", config.private_hosts())
        answer = requests.get(
            f"{base}/search",
            params={"q": query, "per_page": limit, "minimal": "true", "include": "siege,complements"},
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            timeout=TIMEOUT,
        )
    except (requests.RequestException, ValueError) as error:
        return Lookup(False, [], type(error).__name__)
    if answer.status_code == 429:
        wait = answer.headers.get("Retry-After", "")
        return Lookup(False, [], "HTTP 429", int(wait) if wait.isdigit() else 5)
    if answer.status_code == 400:
        return Lookup(True, [], "HTTP 400")
    if answer.status_code != 200:
        return Lookup(False, [], f"HTTP {answer.status_code}")
    try:
        return Lookup(True, [_entity(found) for found in answer.json()["results"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Lookup(False, [], "not the contract's JSON")


def check(siren: str) -> tuple[bool, dict[str, Any] | None]:
    """Whether the service could be asked about a SIREN, and the entity when it knows one."""
    found = lookup(siren, 1)
    entity = next((e for e in found.results if e["siren"] == siren), None)
    return found.available, entity
