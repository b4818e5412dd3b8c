"""Our STAC API's documents: stored items with our links, landing page, collections, pages of a search."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ckanext.dinamis_relais.imagery.fields import Fields
from ckanext.dinamis_relais.imagery.normalise import NAVIGATION, STAC_VERSION
from ckanext.dinamis_relais.imagery.search import Found

JSON = "application/json"
GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"

QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA = "application/schema+json"

_STAC, _OGC = "https://api.stacspec.org/v1.0.0", "http://www.opengis.net/spec"
#: What the API conforms to: nothing that tests/imagery/test_stac_conformance.py does not prove.
CONFORMANCE = [
    *(f"{_STAC}/{name}" for name in ("core", "collections", "ogcapi-features", "item-search", "browseable")),
    *(
        f"{_STAC}/{place}#{name}"
        for place in ("item-search", "ogcapi-features")
        for name in ("fields", "sort", "query")
    ),
    f"{_STAC}-rc.3/item-search#filter",
    f"{_STAC}-rc.3/ogcapi-features#filter",
    f"{_STAC}-rc.1/collection-search",
    f"{_STAC}-rc.1/collection-search#free-text",
    *(f"{_OGC}/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson", "oas30")),
    *(f"{_OGC}/ogcapi-features-3/1.0/conf/{name}" for name in ("filter", "features-filter", "queryables")),
    f"{_OGC}/ogcapi-common-2/1.0/conf/simple-query",
    *(
        f"{_OGC}/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
            "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions", "temporal-functions",
            "array-functions", "property-property",
        )
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Where we are.

    :ivar url: address of the CKAN site, without a slash at the end
    :ivar title: its title
    """

    url: str
    title: str

    @property
    def root(self) -> str:
        """Address of the STAC API's landing page."""
        return f"{self.url}/dinamis/stac"

    def collection(self, collection: str) -> str:
        """Address of a collection."""
        return f"{self.root}/collections/{quote(collection, safe='')}"

    def item(self, collection: str, item_id: str) -> str:
        """Address of an item."""
        return f"{self.collection(collection)}/items/{quote(item_id, safe='')}"


def landing(site: Site, collections: list[dict[str, Any]]) -> dict[str, Any]:
    """The landing page: a STAC catalog with the API's links."""
    links = [
        _link("self", site.root, JSON),
        _link("root", site.root, JSON),
        _link("conformance", f"{site.root}/conformance", JSON),
        _link("data", f"{site.root}/collections", JSON),
        {**_link("search", f"{site.root}/search", GEOJSON), "method": "GET"},
        {**_link("search", f"{site.root}/search", GEOJSON), "method": "POST"},
        _link(QUERYABLES_REL, f"{site.root}/queryables", SCHEMA),
        _link("service-desc", f"{site.root}/api", OPENAPI),
        _link("service-doc", f"{site.url}/dinamis/images", "text/html"),
    ]
    for row in collections:
        title = row["body"].get("title") or row["id"]
        links.append({**_link("child", site.collection(row["id"]), JSON), "title": title})
    return {
        "type": "Catalog", "stac_version": STAC_VERSION, "id": "dinamis", "title": f"{site.title} – DINAMIS",
        "description": "Scènes d'imagerie satellite moissonnées par ce catalogue.",
        "conformsTo": CONFORMANCE, "links": links,
    }  # fmt: skip


def collection_of(site: Site, row: dict[str, Any], extent: dict[str, Any] | None) -> dict[str, Any]:
    """A collection as we give it: the source's words, the extent of what is really held, our links.

    :param row: as ``search.all_collections`` gives it
    :param extent: as ``extents.read`` gives it, None when nothing is held
    """
    body, here = row["body"], site.collection(row["id"])
    given = body.get("links") if isinstance(body.get("links"), list) else []
    kept = [
        link for link in given
        if isinstance(link, dict) and link.get("rel") not in NAVIGATION
        and str(link.get("href", "")).startswith(("http://", "https://"))
    ]  # fmt: skip
    links = [
        _link("self", here, JSON),
        _link("root", site.root, JSON),
        _link("parent", site.root, JSON),
        _link("items", f"{here}/items", GEOJSON),
        _link(QUERYABLES_REL, f"{here}/queryables", SCHEMA),
        _link("alternate", f"{site.url}/dinamis/images?{urlencode({'collection': row['id']})}", "text/html"),
        _link("via", row["source_url"], JSON),
    ]
    return {
        **body, "type": "Collection", "stac_version": STAC_VERSION, "id": row["id"],
        "stac_extensions": [one for one in body.get("stac_extensions") or [] if str(one).startswith("http")],
        "description": body.get("description") or body.get("title") or row["id"],
        "license": _licence(body.get("license")), "extent": _extent(body, extent), "links": [*links, *kept],
    }  # fmt: skip


def item_links(site: Site, collection: str, item_id: str) -> list[dict[str, Any]]:
    """Our links of an item."""
    here = site.collection(collection)
    return [
        _link("self", site.item(collection, item_id), GEOJSON),
        _link("root", site.root, JSON),
        _link("parent", here, JSON),
        _link("collection", here, JSON),
        _link("alternate", page_url(site, collection, item_id), "text/html"),
    ]


def item_text(site: Site, stored: str, collection: str, item_id: str) -> str:
    """A stored item with our links added to its own, without reading it."""
    ours = orjson.dumps(item_links(site, collection, item_id)).decode()[1:-1]
    separator = "" if stored.endswith("[]}") else ","
    return f"{stored[:-2]}{separator}{ours}]}}"


def _part(site: Site, stored: str, key: tuple[str, str], fields: Fields) -> str:
    """The members of an item that were asked for."""
    part = fields.prune(orjson.loads(stored))
    if fields.links:
        part["links"] = [*part.get("links", []), *item_links(site, *key)]
    return orjson.dumps(part).decode()


def page_url(site: Site, collection: str, item_id: str) -> str:
    """Address of a scene's page for people."""
    return f"{site.url}/dinamis/images/{quote(collection, safe='')}/{quote(item_id, safe='')}"


def item_collection(site: Site, found: Found, links: list[dict[str, Any]], fields: Fields | None = None) -> str:
    """A page of items as JSON text, items as stored, or what ``fields`` gives of them."""
    pairs = zip(found.items, found.keys, strict=True)
    if fields is None:
        features = [item_text(site, stored, *key) for stored, key in pairs]
    else:
        features = [_part(site, stored, key, fields) for stored, key in pairs]
    head: dict[str, Any] = {"numberReturned": len(features), "links": links}
    if found.matched is not None:
        head["numberMatched"] = found.matched
    tail = orjson.dumps(head).decode()[1:]
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}],{tail}'


def page_link(rel: str, href: str, asked: dict[str, Any], post: bool) -> dict[str, Any]:
    """The link to a neighbouring page: everything that was asked, and where it begins."""
    if post:
        return {**_link(rel, href, GEOJSON), "method": "POST", "body": asked}
    return {**_link(rel, f"{href}?{urlencode(asked)}", GEOJSON), "method": "GET"}


def base_links(site: Site, href: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """``self`` and ``root`` of a page."""
    return [_link("self", f"{href}?{urlencode(asked)}" if asked else href, GEOJSON), _link("root", site.root, JSON)]


def _link(rel: str, href: str, kind: str) -> dict[str, Any]:
    return {"rel": rel, "href": href, "type": kind}


def _licence(value: Any) -> str:
    """STAC 1.1 knows no ``proprietary`` any more: it says ``other``."""
    return str(value) if value and value not in ("proprietary", "various") else "other"


def _extent(body: dict[str, Any], extent: dict[str, Any] | None) -> dict[str, Any]:
    if extent is None or not extent["bbox"]:
        given = body.get("extent")
        if isinstance(given, dict) and "spatial" in given and "temporal" in given:
            return given
        return {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
    interval = [[_moment(extent["start"]), _moment(extent["end"])]]
    return {"spatial": {"bbox": [extent["bbox"]]}, "temporal": {"interval": interval}}


def _moment(value: dt.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
