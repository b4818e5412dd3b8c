"""A commune, an EPCI or a département by its name or code, with its outline: by API Géo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ckanext.dinamis_relais.imagery import places
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable

#: Kind of territory → its part of API Géo's addresses.
KINDS = {"commune": "communes", "epci": "epcis", "departement": "departements"}
#: Territories that a name gives at most.
MOST = 6
#: Length of a territory's code, in characters.
_CODES = {"commune": (5,), "epci": (9,), "departement": (2, 3)}


@dataclass(frozen=True)
class Territory:
    """A territory.

    :ivar kind: a key of :data:`KINDS`
    :ivar outline: GeoJSON geometry (longitude, latitude); None when it was not asked for, or none was given
    """

    kind: str
    code: str
    name: str
    outline: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """As a title says it: ``Bègles (33039)``."""
        return f"{self.name} ({self.code})"


def is_code(kind: str, text: str) -> bool:
    """Whether a text is written as a code of a kind (communes and départements of Corsica hold a letter)."""
    return len(text) in _CODES[kind] and text[0].isdigit() and (text[2:] or "0").isdigit() and text[:2].isalnum()


def find(kind: str, text: str) -> list[Territory]:
    """Territories by name or code, the likeliest first, without their outlines.

    :raises PlaceUnavailable: API Géo does not answer
    """
    text = text.strip()
    if not text:
        return []
    if kind == "commune":
        return [Territory(kind, one.code, one.name) for one in places.find(text)]
    query = {"code" if is_code(kind, text.upper()) else "nom": text, "fields": "nom,code", "limit": str(MOST)}
    answer = _ask(f"{KINDS[kind]}?{urlencode(query)}")
    found = [Territory(kind, str(one["code"]), str(one["nom"])) for one in answer if one.get("code") and one.get("nom")]
    wanted = places.plain(text)
    return sorted(found, key=lambda one: places.plain(one.name) != wanted)


def read(kind: str, code: str) -> Territory | None:
    """A territory with its outline; None when API Géo knows no such one.

    :raises PlaceUnavailable: API Géo does not answer
    """
    query = urlencode({"code": code, "fields": "nom,code", "format": "geojson", "geometry": "contour"})
    for one in _ask(f"{KINDS[kind]}?{query}"):
        properties = one.get("properties") or {}
        if str(properties.get("code")) == code and isinstance(one.get("geometry"), dict):
            return Territory(kind, code, str(properties.get("nom") or code), one["geometry"])
    return None


def _ask(path: str) -> list[dict[str, Any]]:
    """What API Géo answers, a collection of features as their list.

    :raises PlaceUnavailable: it does not answer, or answers something else
    """
    answer = places.answer_of(path)
    if isinstance(answer, dict):
        answer = answer.get("features")
    if not isinstance(answer, list):
        raise PlaceUnavailable("API Géo")
    return [one for one in answer if isinstance(one, dict)]
