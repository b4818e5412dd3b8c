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

from ckanext.dinamis_relais.imagery import actions, search, stac
from ckanext.dinamis_relais.imagery import model as scene_model

dinamis_stac = Blueprint("dinamis_stac", __name__, url_prefix="/dinamis/stac")


@dinamis_stac.after_request
def _open_to_all(response: Response) -> Response:
    """Catalogue browsers run on other sites; what is here is public."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
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
    return _answer(stac.openapi(actions.site()), stac.OPENAPI)


@dinamis_stac.route("/conformance")
@_public
def conformance() -> Response:
    """The classes that the API conforms to."""
    return _answer({"conformsTo": stac.CONFORMANCE})


def _collections() -> list[dict[str, Any]]:
    engine = scene_model.engine()
    extents = search.collection_extents(engine)
    site = actions.site()
    return [stac.collection_of(site, row, extents.get(row["id"])) for row in search.all_collections(engine)]


@dinamis_stac.route("/collections")
@_public
def collections() -> Response:
    """All collections in one answer: some harvesters do not page."""
    site, found = actions.site(), _collections()
    links = [
        {"rel": "self", "href": f"{site.root}/collections", "type": stac.JSON},
        {"rel": "root", "href": site.root, "type": stac.JSON},
    ]
    body = {"collections": found, "links": links, "numberMatched": len(found), "numberReturned": len(found)}
    return _answer(body)


def _known(collection: str) -> dict[str, Any]:
    for one in _collections():
        if one["id"] == collection:
            return one
    raise tk.ObjectNotFound(f"There is no collection '{collection}'.")


@dinamis_stac.route("/collections/<collection>")
@_public
def collection_show(collection: str) -> Response:
    """One collection."""
    return _answer(_known(collection))


@dinamis_stac.route("/collections/<collection>/items")
@_public
def items(collection: str) -> Response:
    """A page of a collection's items."""
    if collection not in {row["id"] for row in search.all_collections(scene_model.engine())}:
        raise tk.ObjectNotFound(f"There is no collection '{collection}'.")
    asked = _asked(("bbox", "datetime", "limit", "token"))
    href = f"{actions.site().collection(collection)}/items"
    body = actions.search_text({**asked, "collections": [collection]}, asked, href)
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
    names = ("bbox", "intersects", "datetime", "collections", "ids", "query", "limit", "token", "sortby")
    asked = _asked(names)
    body = {**asked, **{name: _read(name, asked[name]) for name in ("intersects", "query") if name in asked}}
    return _answer(actions.search_text(body, asked), stac.GEOJSON)


@csrf.exempt  # it reads; other sites' catalogue browsers call it, and have no token of ours
@dinamis_stac.route("/search", methods=["POST"])
@_public
def search_post() -> Response:
    """Item search by POST."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return _error(400, "InvalidParameterValue", "The body is no JSON object.")
    return _answer(actions.search_text(body), stac.GEOJSON)


def _asked(names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.args[name] for name in names if request.args.get(name)}


def _read(name: str, text: str) -> Any:
    """A member that a GET gives as JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise tk.ValidationError({name: ["Give it as JSON."]}) from error
