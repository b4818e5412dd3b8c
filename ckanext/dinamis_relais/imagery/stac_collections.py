"""Collections of the STAC API: all in one answer by default, or those that a search names. Pure but for the loading."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ckanext.dinamis_relais.imagery import extents, search, stac
from ckanext.dinamis_relais.imagery.queryables import SearchError


def load(engine: Any, site: stac.Site) -> list[dict[str, Any]]:
    """Every collection as it is answered, in the order of ids."""
    held = extents.read(engine)
    return [stac.collection_of(site, row, held.get(row["id"])) for row in search.all_collections(engine)]


def document(site: stac.Site, found: list[dict[str, Any]], args: Mapping[str, str]) -> dict[str, Any]:
    """The answer of ``/collections``.

    :param found: all collections
    :param args: ``bbox``, ``datetime``, ``q`` narrow them down; ``limit`` and ``page`` (from 1) cut them
    :raises SearchError: one of them cannot be understood
    """
    href = f"{site.root}/collections"
    box = search.box(args["bbox"]) if args.get("bbox") else None
    period = search.period(args["datetime"]) if args.get("datetime") else None
    groups = words(args.get("q", ""))
    kept = [one for one in found if _within(one, box) and _during(one, period) and _says(one, groups)]
    limit, page = (_whole(name, args.get(name)) for name in ("limit", "page"))
    size, number = limit or max(len(kept), 1), page or 1
    shown = kept[(number - 1) * size : number * size]
    asked = {name: args[name] for name in ("bbox", "datetime", "q", "limit", "page") if args.get(name)}
    links = [
        {"rel": "self", "href": f"{href}?{urlencode(asked)}" if asked else href, "type": stac.JSON},
        {"rel": "root", "href": site.root, "type": stac.JSON},
    ]
    for rel, other in (("next", number + 1), ("prev", number - 1)):
        if 1 <= other <= -(-len(kept) // size):
            address = f"{href}?{urlencode({**asked, 'page': other})}"
            links.append({"rel": rel, "href": address, "type": stac.JSON, "method": "GET"})
    return {"collections": shown, "links": links, "numberMatched": len(kept), "numberReturned": len(shown)}


def words(text: str) -> list[list[str]]:
    """Groups of words, one of which must be found whole: ``spot pléiades,2023`` is (spot and pléiades) or 2023."""
    return [found for part in text.split(",") if (found := _plain(part).split())]


def _plain(text: str) -> str:
    """Lower case, without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in parts if not unicodedata.combining(sign)).casefold()


def _says(collection: dict[str, Any], groups: list[list[str]]) -> bool:
    given = [collection.get("id"), collection.get("title"), collection.get("description")]
    keywords = collection.get("keywords")
    given += keywords if isinstance(keywords, list) else []
    text = _plain(" ".join(str(one) for one in given if one))
    return not groups or any(all(word in text for word in group) for group in groups)


def _within(collection: dict[str, Any], box: list[tuple[float, float, float, float]] | None) -> bool:
    given = collection["extent"]["spatial"]["bbox"][0]
    west, south, east, north = given if len(given) == 4 else (*given[:2], *given[3:5])
    return box is None or any(w <= east and e >= west and s <= north and n >= south for w, s, e, n in box)


def _during(collection: dict[str, Any], period: tuple[Any, Any] | None) -> bool:
    if period is None:
        return True
    first, last = (search.moment_of(one) for one in collection["extent"]["temporal"]["interval"][0])
    start, end = period
    return not (end and first and first > end) and not (start and last and last < start)


def _whole(name: str, value: str | None) -> int | None:
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or not int(value[:9]) > 0:
        raise SearchError(name, "Give a whole number from 1.")
    return int(value[:9])
