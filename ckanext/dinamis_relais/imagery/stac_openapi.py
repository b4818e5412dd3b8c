"""What the STAC API takes and answers, as OpenAPI 3.0. Pure."""

from __future__ import annotations

from typing import Any

from ckanext.dinamis_relais.imagery.cql import CRS84, LANGUAGES
from ckanext.dinamis_relais.imagery.search import DEFAULT_LIMIT, MAX_LIMIT
from ckanext.dinamis_relais.imagery.stac import GEOJSON, JSON, OPENAPI, SCHEMA, Site

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_OBJECT: dict[str, Any] = {"type": "object"}
_LIMIT: dict[str, Any] = {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT}

#: Members of a search: schema in a GET's address, schema in a POST's body, what it is.
_MEMBERS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "bbox": (_TEXT, {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
             "West, south, east, north in degrees (six numbers: heights are left out)"),
    "datetime": (_TEXT, _TEXT, "RFC 3339 time, or an interval of two with / between; .. leaves one open"),
    "limit": (_LIMIT, _LIMIT, f"Items a page, at most {MAX_LIMIT}"),
    "token": (_TEXT, _TEXT, "Where a page begins, from a link"),
    "filter": (_TEXT, {"oneOf": [_OBJECT, _TEXT]}, "Condition in CQL2, on what /queryables lists"),
    "filter-lang": ({"type": "string", "enum": list(LANGUAGES)}, {"type": "string", "enum": list(LANGUAGES)},
                    "Language of the filter; by default cql2-text in an address, what it looks like in a body"),
    "filter-crs": ({"type": "string", "enum": [CRS84]}, {"type": "string", "enum": [CRS84]},
                   "Reference system of the filter's geometries"),
    "query": (_TEXT, _OBJECT, 'Conditions by property, {"eo:cloud_cover": {"lte": 10}}; as JSON in an address'),
    "sortby": (_TEXT, {"type": "array", "items": _OBJECT}, "Properties, + (ascending) or - before each"),
    "fields": (_TEXT, _OBJECT, "Members of the items to give, or with - before not to give"),
    "collections": (_TEXT, _TEXTS, "Ids, with commas between in an address"),
    "ids": (_TEXT, _TEXTS, "Ids of items, with commas between in an address"),
    "intersects": (_TEXT, _OBJECT, "GeoJSON geometry, longitude and latitude; not together with bbox"),
}  # fmt: skip
#: Those that /search alone has.
_SEARCH_ONLY = ("collections", "ids", "intersects")


def document(site: Site) -> dict[str, Any]:
    """The OpenAPI document."""
    by_name = {name: _parameter(name, schema, said) for name, (schema, _body, said) in _MEMBERS.items()}
    here = [one for name, one in by_name.items() if name not in _SEARCH_ONLY]
    found = [
        by_name["bbox"],
        by_name["datetime"],
        _parameter("q", _TEXT, "Words of title, description or keywords; commas mean or"),
        _parameter("limit", {"type": "integer", "minimum": 1}, "Collections a page, all by default"),
        _parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "Which page of them"),
    ]
    collection = _parameter("collection", _TEXT, "Id of a collection", "path")
    item = _parameter("item", _TEXT, "Id of an item", "path")
    body = {"type": "object", "properties": {name: {**one[1], "description": one[2]} for name, one in _MEMBERS.items()}}
    return {
        "openapi": "3.0.3", "info": {"title": f"{site.title} – STAC API", "version": "1.0.0"},
        "servers": [{"url": site.root}],
        "paths": {
            "/": _get("landing", "Landing page", JSON),
            "/conformance": _get("conformance", "What it conforms to", JSON),
            "/api": _get("api", "This document", OPENAPI),
            "/queryables": _get("queryables", "What is searched by", SCHEMA),
            "/collections": _get("collections", "Collections", JSON, *found),
            "/collections/{collection}": _get("collection", "A collection", JSON, collection),
            "/collections/{collection}/queryables": _get("ofCollection", "What it is searched by", SCHEMA, collection),
            "/collections/{collection}/items": _get("items", "Items of a collection", GEOJSON, collection, *here),
            "/collections/{collection}/items/{item}": _get("item", "An item", GEOJSON, collection, item),
            "/search": {
                **_get("search", "Items that match", GEOJSON, *by_name.values()),
                "post": {
                    "operationId": "searchByPost", "summary": "Items that match", "responses": _answers(GEOJSON),
                    "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
                },
            },
        },
    }  # fmt: skip


def _get(name: str, summary: str, kind: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name, "summary": summary, "parameters": list(parameters), "responses": _answers(kind),
        }
    }  # fmt: skip


def _answers(kind: str) -> dict[str, Any]:
    wrong = {
        "type": "object", "required": ["code", "description"], "properties": {"code": _TEXT, "description": _TEXT},
    }  # fmt: skip
    said = {
        "304": "As it was (If-None-Match)", "400": "Not understood: which member, and what is expected",
        "403": "Scenes may not be read", "404": "There is none", "503": "The scene store does not answer",
    }  # fmt: skip
    answers: dict[str, Any] = {"200": {"description": "OK", "content": {kind: {"schema": _OBJECT}}}}
    for status, description in said.items():
        content = {} if status == "304" else {"content": {JSON: {"schema": wrong}}}
        answers[status] = {"description": description, **content}
    return answers


def _parameter(name: str, schema: dict[str, Any], description: str, place: str = "query") -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": description}
