"""A commune, an EPCI, a département or a région by its name or code, with its outline: by API Géo."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
import shapely
from shapely.geometry import shape

from ckanext.dinamis_relais.imagery import coverage, places
from ckanext.dinamis_relais.imagery.outside import OutsideError
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable

#: Kind of territory → its part of API Géo's addresses.
KINDS = {"commune": "communes", "epci": "epcis", "departement": "departements", "region": "regions"}
#: API Géo draws communes and EPCI only; of the others it names the parts: kind → kind of its parts.
PARTS = {"departement": "commune", "region": "departement"}
#: Territories that a name gives at most.
MOST = 6
#: Length of a territory's code, in characters.
_CODES = {"commune": (5,), "epci": (9,), "departement": (2, 3), "region": (2,)}
#: Seconds that the outlines of a département's communes (some 10 MB) may take, and those of a région's départements.
PATIENCE = 15.0
#: Share of a territory's width under which the detail of a union of outlines is left out.
_DETAIL = 1e-4


@dataclass(frozen=True)
class Territory:
    """A territory.

    :ivar kind: a key of :data:`KINDS`
    :ivar outline: GeoJSON geometry (longitude, latitude); None when it was not asked for, or none was given
    :ivar km2: surface of the outline in square kilometres, on the ellipsoid; 0 without one
    :ivar within: name of the département that a commune lies in; empty when the service does not say it
    """

    kind: str
    code: str
    name: str
    outline: dict[str, Any] | None = None
    km2: float = 0.0
    within: str = ""

    @property
    def label(self) -> str:
        """As a title says it, and as :func:`search` takes it: ``Bègles (33039)``."""
        return f"{self.name} ({self.code})"


def is_code(kind: str, text: str) -> bool:
    """Whether a text is written as a code of a kind (communes and départements of Corsica hold a letter)."""
    shaped = re.fullmatch(r"[0-9][0-9AB][0-9]*", text)
    return bool(shaped) and len(text) in _CODES[kind]


def find(kind: str, text: str) -> list[Territory]:
    """Territories of one kind by name or code, the likeliest first, without their outlines.

    :raises PlaceUnavailable: API Géo does not answer
    """
    text = text.strip()
    if not text:
        return []
    query = {"code" if is_code(kind, text.upper()) else "nom": text, "fields": "nom,code", "limit": str(MOST)}
    if kind == "commune":
        query |= {"fields": "nom,code,departement", "boost": "population"}
    answer = _ask(f"{KINDS[kind]}?{urlencode(query)}")
    found = [_named(kind, one) for one in answer if one.get("code") and one.get("nom")]
    wanted = places.plain(text)
    return sorted(found, key=lambda one: places.plain(one.name) != wanted)


def search(text: str) -> list[Territory]:
    """Territories of any kind by name, by code or by label, those of exactly this name or code first.

    :raises PlaceUnavailable: API Géo does not answer
    """
    text = " ".join(text.split())
    labelled = re.fullmatch(r"(.+) \((\w+)\)", text)
    if labelled:
        found = [one for one in search(labelled[2]) if places.plain(one.name) == places.plain(labelled[1])]
        return found or search(labelled[1])
    coded = [kind for kind in KINDS if text and is_code(kind, text.upper())]
    asked = text.upper() if coded else text
    found = [one for kind in coded or KINDS for one in find(kind, asked)] if text else []
    return sorted(found, key=lambda one: not exact(one, text))


def exact(one: Territory, text: str) -> bool:
    """Whether a text is the name or the code of a territory."""
    return one.code == text.upper() or places.plain(one.name) == places.plain(text)


def one_of(found: list[Territory], text: str) -> Territory | None:
    """The one that a name or code means beyond doubt; None when several may be meant, or there is none.

    :param found: of :func:`find`
    """
    chosen = [one for one in found if exact(one, text.strip())] or found
    return chosen[0] if len(chosen) == 1 else None


def read(kind: str, code: str) -> Territory | None:
    """A territory with its outline; None when API Géo knows no such one.

    :raises PlaceUnavailable: API Géo does not answer, or not all of it yet
    """
    if not is_code(kind, code):
        return None
    content = places.kept(_memory(kind, code), lambda: orjson.dumps(_drawn(kind, code)))
    if content is None:
        raise PlaceUnavailable("API Géo")
    return _known(kind, code, content)


def remembered(kind: str, code: str) -> Territory | None:
    """A territory whose outline :func:`read` was told once and is remembered; None for any other. Nobody is asked."""
    if kind not in KINDS or not is_code(kind, code):
        return None
    content = places.remembered(_memory(kind, code))
    return _known(kind, code, content) if content is not None else None


def _memory(kind: str, code: str) -> str:
    return f"outline/{kind}/{code}"


def _known(kind: str, code: str, content: bytes) -> Territory | None:
    known = orjson.loads(content)
    return Territory(kind, code, known["name"], known["outline"], known["km2"]) if known else None


def _named(kind: str, one: dict[str, Any]) -> Territory:
    above = one.get("departement")
    within = str(above.get("nom") or "") if isinstance(above, dict) else ""
    return Territory(kind, str(one["code"]), str(one["nom"]), within=within)


def _drawn(kind: str, code: str) -> dict[str, Any] | None:
    """Name and outline of a territory as the service gives them, or as its parts make it.

    :raises OutsideError: the service does not answer
    :raises PlaceUnavailable: there was no time for all parts; those that were read are kept
    """
    query = urlencode({"code": code, "fields": "nom,code", "format": "geojson", "geometry": "contour"})
    for one in _features(f"{KINDS[kind]}?{query}", places.PATIENCE):
        properties = one.get("properties") or one
        if str(properties.get("code")) != code:
            continue
        outline = one.get("geometry")
        if not isinstance(outline, dict) and kind in PARTS:
            outline = _whole(kind, code)
        if isinstance(outline, dict) and outline.get("type") in ("Polygon", "MultiPolygon"):
            km2 = coverage.territory(shape(outline)).area / 1e6
            return {"name": str(properties.get("nom") or code), "outline": outline, "km2": round(km2, 3)}
    return None


def _whole(kind: str, code: str) -> dict[str, Any] | None:
    """The outline of a territory as the union of its parts."""
    part = PARTS[kind]
    path = f"{KINDS[kind]}/{code}/{KINDS[part]}?"
    if part == "commune":
        query = urlencode({"fields": "nom,code", "format": "geojson", "geometry": "contour"})
        outlines = [one.get("geometry") for one in _features(path + query, PATIENCE)]
    else:
        outlines = _each(part, [str(one.get("code")) for one in _features(f"{path}fields=nom,code", places.PATIENCE)])
    shapes = [shapely.make_valid(shape(one)) for one in outlines if isinstance(one, dict)]
    if not shapes:
        return None
    union = shapely.union_all(shapes)
    return coverage.rounded(coverage.surface(union).simplify(_DETAIL * union.area**0.5))


def _each(kind: str, codes: list[str]) -> list[Any]:
    """Outlines of some territories, as far as the time goes."""
    until, found = time.monotonic() + PATIENCE, []
    for code in codes:
        if time.monotonic() > until:
            raise PlaceUnavailable("API Géo")
        one = read(kind, code)
        found.append(one.outline if one else None)
    return found


def _features(path: str, patience: float) -> list[dict[str, Any]]:
    try:
        found = orjson.loads(places.fetched(path, patience))
    except orjson.JSONDecodeError as error:
        raise OutsideError(path, "It is no JSON.", "Try again later.") from error
    return _listed(found) or []


def _ask(path: str) -> list[dict[str, Any]]:
    """What API Géo answers, a collection of features as their list.

    :raises PlaceUnavailable: it does not answer, or answers something else
    """
    answer = _listed(places.answer_of(path))
    if answer is None:
        raise PlaceUnavailable("API Géo")
    return answer


def _listed(answer: Any) -> list[dict[str, Any]] | None:
    if isinstance(answer, dict):
        answer = answer.get("features")
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else None
