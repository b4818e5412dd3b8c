"""Our STAC API's documents: stored items with our links, landing page, collections, pages of a search."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ckanext.dinamis_relais.imagery.normalise import NAVIGATION, STAC_VERSION
from ckanext.dinamis_relais.imagery.search import Found

JSON = "application/json"
GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"

CONFORMANCE = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
]


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
    :param extent: as ``search.collection_extents`` gives it, None when nothing is held
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
        _link("alternate", f"{site.url}/dinamis/images?{urlencode({'collection': row['id']})}", "text/html"),
        _link("via", row["source_url"], JSON),
    ]
    return {
        **body, "type": "Collection", "stac_version": STAC_VERSION, "id": row["id"],
        "stac_extensions": [one for one in body.get("stac_extensions") or [] if str(one).startswith("http")],
        "description": body.get("description") or body.get("title") or row["id"],
        "license": _licence(body.get("license")), "extent": _extent(body, extent), "links": [*links, *kept],
    }  # fmt: skip


def item_text(site: Site, stored: str, collection: str, item_id: str) -> str:
    """A stored item with our links added to its own, without reading it."""
    here = site.collection(collection)
    links = [
        _link("self", site.item(collection, item_id), GEOJSON),
        _link("root", site.root, JSON),
        _link("parent", here, JSON),
        _link("collection", here, JSON),
        _link("alternate", page_url(site, collection, item_id), "text/html"),
    ]
    ours = orjson.dumps(links).decode()[1:-1]
    separator = "" if stored.endswith("[]}") else ","
    return f"{stored[:-2]}{separator}{ours}]}}"


def page_url(site: Site, collection: str, item_id: str) -> str:
    """Address of a scene's page for people."""
    return f"{site.url}/dinamis/images/{quote(collection, safe='')}/{quote(item_id, safe='')}"


def item_collection(site: Site, found: Found, links: list[dict[str, Any]]) -> str:
    """A page of items as JSON text, items as stored."""
    features = []
    for stored, (collection, item_id) in zip(found.items, found.keys, strict=True):
        features.append(item_text(site, stored, collection, item_id))
    head: dict[str, Any] = {"numberReturned": len(features), "links": links}
    if found.matched is not None:
        head["numberMatched"] = found.matched
    tail = orjson.dumps(head).decode()[1:]
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}],{tail}'


def next_link(href: str, params: dict[str, Any], token: str | None, post: bool) -> list[dict[str, Any]]:
    """The ``next`` link of a page: everything that was asked, and where it goes on."""
    if token is None:
        return []
    asked = {**params, "token": token}
    if post:
        return [{**_link("next", href, GEOJSON), "method": "POST", "body": asked}]
    return [{**_link("next", f"{href}?{urlencode(asked)}", GEOJSON), "method": "GET"}]


def base_links(site: Site, self_href: str) -> list[dict[str, Any]]:
    """``self`` and ``root`` of a page."""
    return [_link("self", self_href, GEOJSON), _link("root", site.root, JSON)]


def openapi(site: Site) -> dict[str, Any]:
    """What the API takes, as OpenAPI 3."""
    text = {"type": "string"}
    common = [_parameter(name, text) for name in ("bbox", "datetime", "token")]
    common.append(_parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10}))
    search = [*common, *(_parameter(name, text) for name in ("collections", "ids", "intersects", "query"))]
    answers = {"200": {"description": "OK"}, "400": {"description": "The search cannot be understood"}}
    collection = {**_parameter("collection", text), "in": "path", "required": True}
    item = {**_parameter("item", text), "in": "path", "required": True}
    body = {"content": {JSON: {"schema": {"type": "object"}}}}

    def get(parameters: list[dict[str, Any]]) -> dict[str, Any]:
        return {"get": {"parameters": parameters, "responses": answers}}

    return {
        "openapi": "3.0.3", "info": {"title": f"{site.title} – STAC API", "version": "1.0.0"},
        "servers": [{"url": site.root}],
        "paths": {
            "/": get([]), "/conformance": get([]), "/collections": get([]),
            "/collections/{collection}": get([collection]),
            "/collections/{collection}/items": get([collection, *common]),
            "/collections/{collection}/items/{item}": get([collection, item]),
            "/search": {**get(search), "post": {"requestBody": body, "responses": answers}},
        },
    }  # fmt: skip


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


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
