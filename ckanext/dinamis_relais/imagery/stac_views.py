"""The STAC API at ``/dinamis/stac``: what QGIS, pystac-client and other catalogues read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import ckan.plugins.toolkit as tk
import orjson
from ckan.config.middleware.flask_app import csrf
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais.imagery import actions, queryables, search, stac, stac_collections, stac_openapi
from ckanext.dinamis_relais.imagery import model as scene_model

dinamis_stac = Blueprint("dinamis_stac", __name__, url_prefix="/dinamis/stac")

#: What a collection's items take in the address, and what a search takes besides.
_ITEMS = ("bbox", "datetime", "filter", "filter-lang", "filter-crs", "query", "sortby", "fields", "limit", "token")
_SEARCH = (*_ITEMS, "collections", "ids", "intersects")
#: Members that are a text in an address, and a list or an object in a body.
_STRUCTURED = ("bbox", "fields")
#: Bytes of a search's body: an area of 50,000 points has two million.
_MAX_BODY = 5_000_000


@dinamis_stac.after_request
def _open_to_all(response: Response) -> Response:
    """Catalogue browsers run on other sites; what is here is public. What they hold already is not sent again."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match"
    response.headers["Access-Control-Expose-Headers"] = "ETag"
    if request.method in ("GET", "HEAD") and response.status_code == 200:
        response.add_etag(weak=True)  # weak: a proxy may compress what it passes on
        response.make_conditional(request)
    return response


def _answer(body: Any, kind: str = stac.JSON, status: int = 200) -> Response:
    text = body if isinstance(body, (str, bytes)) else orjson.dumps(body)
    return Response(text, status=status, content_type=kind)


def _error(status: int, code: str, description: str) -> Response:
    return _answer({"code": code, "description": description}, status=status)


def _public(view: Callable[..., Response]) -> Callable[..., Response]:
    """Check the right to read scenes; say in JSON what is wrong."""

    @wraps(view)
    def wrapped(**kwargs: Any) -> Response:
        try:
            tk.check_access("dinamis_scene_search", {"user": tk.g.user}, {})
            return view(**kwargs)
        except tk.NotAuthorized:
            return _error(403, "Forbidden", "You may not read scenes.")
        except tk.ObjectNotFound as error:
            return _error(404, "NotFound", str(error))
        except search.SearchError as error:
            return _error(400, "InvalidParameterValue", f"{error.field}: {error}")
        except tk.ValidationError as error:
            texts: dict[str, Any] = error.error_dict
            said = [f"{key}: {' '.join(map(str, reasons))}" for key, reasons in texts.items()]
            return _error(400, "InvalidParameterValue", "; ".join(said))
        except SQLAlchemyError:
            return _error(503, "Unavailable", "The scene store does not answer. Try again later.")

    return wrapped


@dinamis_stac.route("", strict_slashes=False)
@_public
def landing() -> Response:
    """The landing page."""
    return _answer(stac.landing(actions.site(), search.all_collections(scene_model.engine())))


@dinamis_stac.route("/api")
@_public
def api() -> Response:
    """The OpenAPI description."""
    return _answer(stac_openapi.document(actions.site()), stac.OPENAPI)


@dinamis_stac.route("/conformance")
@_public
def conformance() -> Response:
    """The classes that the API conforms to."""
    return _answer({"conformsTo": stac.CONFORMANCE})


@dinamis_stac.route("/queryables")
@_public
def queryables_of_all() -> Response:
    """What a search may filter and sort by."""
    here = actions.site()
    known = queryables.stored(scene_model.engine())
    return _answer(queryables.document(f"{here.root}/queryables", known, here.title), stac.SCHEMA)


@dinamis_stac.route("/collections")
@_public
def collections() -> Response:
    """All collections in one answer, since some harvesters do not page; fewer when a search or a limit says so."""
    here = actions.site()
    found = stac_collections.load(scene_model.engine(), here)
    return _answer(stac_collections.document(here, found, request.args))


@dinamis_stac.route("/collections/<collection>")
@_public
def collection_show(collection: str) -> Response:
    """One collection."""
    for one in stac_collections.load(scene_model.engine(), actions.site()):
        if one["id"] == collection:
            return _answer(one)
    raise tk.ObjectNotFound(f"There is no collection '{collection}'.")


def _known(collection: str) -> None:
    if collection not in {row["id"] for row in search.all_collections(scene_model.engine())}:
        raise tk.ObjectNotFound(f"There is no collection '{collection}'.")


@dinamis_stac.route("/collections/<collection>/queryables")
@_public
def queryables_of_one(collection: str) -> Response:
    """What a search in one collection may filter and sort by."""
    _known(collection)
    known = queryables.stored(scene_model.engine(), collection)
    return _answer(
        queryables.document(f"{actions.site().collection(collection)}/queryables", known, collection), stac.SCHEMA
    )


@dinamis_stac.route("/collections/<collection>/items")
@_public
def items(collection: str) -> Response:
    """A page of a collection's items."""
    _known(collection)
    asked = _asked(_ITEMS)
    href = f"{actions.site().collection(collection)}/items"
    body = actions.search_text({**_read(asked), "collections": [collection]}, asked, href)
    return _answer(body, stac.GEOJSON)


@dinamis_stac.route("/collections/<collection>/items/<path:item_id>")
@_public
def item(collection: str, item_id: str) -> Response:
    """One item."""
    return _answer(actions.show_text(collection, item_id), stac.GEOJSON)


@dinamis_stac.route("/search", methods=["GET"])
@_public
def search_get() -> Response:
    """Item search by GET."""
    asked = _asked(_SEARCH)
    return _answer(actions.search_text(_read(asked), asked), stac.GEOJSON)


@csrf.exempt  # it reads; other sites' catalogue browsers call it, and have no token of ours
@dinamis_stac.route("/search", methods=["POST"])
@_public
def search_post() -> Response:
    """Item search by POST."""
    try:
        body = orjson.loads(request.get_data()) if (request.content_length or 0) <= _MAX_BODY else None
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return _error(400, "InvalidParameterValue", f"The body is no JSON object of at most {_MAX_BODY:,} bytes.")
    for name in _STRUCTURED:
        if name in body and (body[name] is None or isinstance(body[name], str)):
            return _error(400, "InvalidParameterValue", f"{name}: give a list or an object, not a text or null.")
    return _answer(actions.search_text(body), stac.GEOJSON)


@dinamis_stac.route("/<path:rest>")
def nothing(rest: str) -> Response:
    """Any other address: an answer in JSON that other sites may read, like all of ours."""
    return _error(404, "NotFound", f"There is nothing at '{rest}'. See the links of the landing page.")


def _asked(names: tuple[str, ...]) -> dict[str, str]:
    asked = {name: request.args[name] for name in names if request.args.get(name)}
    # An empty ``fields`` asks for something: the least that a valid item needs.
    return {**asked, "fields": ""} if "fields" in request.args and "fields" not in asked else asked


def _read(asked: dict[str, str]) -> dict[str, Any]:
    """The search that an address means: some members are JSON there, a filter is CQL2 text by default."""
    body: dict[str, Any] = dict(asked)
    for name in ("intersects", "query"):
        if name in asked:
            try:
                body[name] = orjson.loads(asked[name])
            except orjson.JSONDecodeError as error:
                raise tk.ValidationError({name: ["Give it as JSON."]}) from error
    return {"filter-lang": "cql2-text", **body} if "filter" in asked else body
