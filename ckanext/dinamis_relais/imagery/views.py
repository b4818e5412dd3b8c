"""The explorer and a scene's page, for people. What they show comes from the actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import ckan.plugins.toolkit as tk
import orjson
from flask import Blueprint, Response
from shapely.geometry import shape
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import __version__, config, throttle
from ckanext.dinamis_relais.imagery import (
    actions,
    describe,
    places,
    search,
    series_picture,
    shared_area,
    territories,
    tiles,
)
from ckanext.dinamis_relais.imagery import filters as rules
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery.coverage_views import dinamis_coverage
from ckanext.dinamis_relais.imagery.queryables import SearchError
from ckanext.dinamis_relais.imagery.series_picture import TOWNS
from ckanext.dinamis_relais.imagery.stac_views import dinamis_stac
from ckanext.dinamis_relais.imagery.territories import Territory
from ckanext.dinamis_relais.imagery.words import platform_name
from ckanext.dinamis_relais.web import act, page, problems

__all__ = ["dinamis_coverage", "dinamis_imagery", "dinamis_stac"]

dinamis_imagery = Blueprint("dinamis_imagery", __name__, url_prefix="/dinamis/images")

PAGE_SIZE = 20
#: Files with an area that one network address may send in an hour.
AREA_FILES = 60
#: Nouvelle-Aquitaine, where the map starts: west, south, east, north in degrees.
HOME = (-1.8, 42.7, 2.7, 47.2)
#: What an address's path holds unquoted, as Werkzeug writes it (https://url.spec.whatwg.org/#url-path-segment-string).
IN_PATH = "!$&'()*+,/:;=@"


@dinamis_imagery.route("", strict_slashes=False)
@page
def explorer() -> Any:
    """Filters, a chart of years, the list, and a map beside it."""
    asked, wrong = rules.read(tk.request.args)
    place, others, place_problem = _place(asked.place)
    outline = place.outline if place else asked.outline
    # A place that was not found filters nothing, but its text stays in the field to be corrected.
    body = asked.body(outline)
    token = tk.request.args.get("token") or None
    engine = scene_model.engine()
    try:
        # The chart of years has counted already what is not limited to a period.
        beside = search.beside(engine, search.parse(body))
        found = act("dinamis_scene_search", **body, limit=PAGE_SIZE, token=token, count="datetime" in body)
    except SQLAlchemyError:
        return tk.render("dinamis/imagery/unavailable.html", {}), 503
    except (tk.ValidationError, SearchError):
        return tk.redirect_to(f"{_path()}{asked.query()}")
    matched = found["numberMatched"] if "datetime" in body else sum(count for _year, count in beside.years)
    collections = _titles(beside.collections)
    return tk.render(
        "dinamis/imagery/explorer.html",
        {
            "filters": asked, "wrong": wrong, "place": place, "others": others,
            "place_problem": place_problem, "matched": matched, "path": _path(),
            "rows": _rows(found["features"], outline, dict(collections)),
            "more": _more(asked, found), "first": asked.query() if token else None,
            "years": _years(beside.years, asked), "chips": _chips(asked, place, collections),
            "collections": collections,
            "platforms": [(one, platform_name(one)) for one in beside.platforms],
            "culprits": [] if matched else _culprits(engine, asked, outline),
            "map": _map_data(found["features"], outline, asked), "assets_version": __version__,
            "feed": f"{tk.h.url_for('dinamis_alerts.feed')}{asked.query()}",
        },
    )  # fmt: skip


@dinamis_imagery.route("/tiles/<int:zoom>/<int:column>/<int:row>.mvt")
@page
def tile(zoom: int, column: int, row: int) -> Response:
    """Footprints as a vector tile, under the same filters as the page."""
    tk.check_access("dinamis_scene_search", {"user": tk.g.user}, {})
    if zoom > tiles.MAX_ZOOM or column >= 2**zoom or row >= 2**zoom:
        raise tk.ObjectNotFound(tk._("There is no such tile."))
    asked, _ = rules.read(tk.request.args)
    content = tiles.tile(scene_model.engine(), search.parse(asked.body(None)), zoom, column, row)
    response = Response(content, content_type="application/vnd.mapbox-vector-tile")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@dinamis_imagery.post("/area", endpoint="area")
@page
def area() -> Any:
    """The area of a file goes into the address, in place of a place or of a part of the map; nothing is kept."""
    asked, _wrong = rules.read(tk.request.args)
    sent = tk.request.files.get("file")
    rest = replace(asked, place="", bbox="", area="")
    if not throttle.allowed("area-files", throttle.client(), AREA_FILES):
        tk.h.flash_error(tk._("Too many tries from here. Wait an hour, then try again."))
        return tk.redirect_to(f"{_path()}{asked.query()}")
    content = sent.stream.read(config.request_area_mb() * 1_000_000 + 1) if sent else b""
    try:
        found = act("dinamis_area_read", file_name=(sent.filename if sent else "") or "-", file_content=content)
    except tk.ValidationError as error:
        for sentence in problems(error):
            tk.h.flash_error(sentence)
        return tk.redirect_to(f"{_path()}{asked.query()}")
    text, simplified = shared_area.written(found["area"])
    said = [note["text"] for note in found["notes"]]
    if simplified:
        said.append(tk._("The outline was made simpler, so that the page's address can hold it."))
    for sentence in said:
        tk.h.flash_notice(sentence)
    return tk.redirect_to(f"{_path()}{replace(rest, area=text).query()}")


@dinamis_imagery.get("/series/<collection>/<int:year>.png", endpoint="series_picture")
@page
def picture_of_series(collection: str, year: int) -> Response:
    """Where the scenes of a series lie, for its dataset's page."""
    tk.check_access("dinamis_scene_search", {"user": tk.g.user}, {})
    content = series_picture.png(scene_model.engine(), collection, year, TOWNS)
    if content is None:
        raise tk.ObjectNotFound(tk._("The catalogue has no image of this year."))
    response = Response(content, mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.add_etag()
    response.make_conditional(tk.request.environ)
    return response


@dinamis_imagery.route("/<collection>/<path:item_id>")
@page
def scene(collection: str, item_id: str) -> Any:
    """Everything about one scene, in words."""
    try:
        item = act("dinamis_scene_show", collection=collection, id=item_id)
    except SQLAlchemyError:
        return tk.render("dinamis/imagery/unavailable.html", {}), 503
    engine = scene_model.engine()
    row_ = next((one for one in search.all_collections(engine) if one["id"] == collection), None)
    longitude, latitude = describe.centre(item)
    neighbours = act(
        "dinamis_scene_search", intersects={"type": "Point", "coordinates": [longitude, latitude]}, limit=13
    )["features"]
    own = (collection, item_id)
    same = [describe.row(one) for one in neighbours if (one["collection"], one["id"]) != own]
    return tk.render(
        "dinamis/imagery/scene.html",
        {
            "item": item, "row": describe.row(item), "near": places.around(longitude, latitude),
            "where": (describe.number(latitude, 2), describe.number(abs(longitude), 2)), "west": longitude < 0,
            "angles": describe.angles(item["properties"]), "area": describe.number(describe.area_km2(item)),
            "resolution": _resolution(item),
            "assets": describe.assets(item, row_["asset_roles"] if row_ else {}),
            "collection_title": (row_["body"].get("title") if row_ else None) or collection,
            "provider": row_["source_url"] if row_ else None, "neighbours": same[:12],
            "stac_url": actions.site().item(collection, item_id), "stac_root": actions.site().root,
            "map": _map_data([item], None, None), "assets_version": __version__, "path": _path(),
        },
    )  # fmt: skip


def _path() -> str:
    return tk.h.url_for("dinamis_imagery.explorer")


def _place(text: str) -> tuple[Territory | None, list[Territory], str | None]:
    """The territory, others of a similar name, and what went wrong."""
    if not text:
        return None, [], None
    try:
        found = territories.search(text)
        whole = territories.read(found[0].kind, found[0].code) if found else None
    except places.PlaceUnavailable:
        return None, [], tk._("The place could not be looked up just now; it was left out. Try again later.")
    if whole is None:
        return None, [], tk._("No territory has this name. Check the spelling, or choose a place on the map.")
    return whole, found[1:6], None


def _titles(collections: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["id"], one["body"].get("title") or one["id"]) for one in collections]


def _rows(
    features: list[dict[str, Any]], outline: dict[str, Any] | None, titles: dict[str, str]
) -> list[dict[str, Any]]:
    """What the list says of each scene."""
    address, area = _scene_address(), describe.area_of(outline)
    return [
        {
            **describe.row(one, area),
            "series": titles.get(one["collection"]),
            "url": address(one["collection"], one["id"]),
        }
        for one in features
    ]


def _scene_address() -> Callable[[str, str], str]:
    """What makes the address of a scene's page from its collection and id, as ``url_for``: asked once by a list."""
    marked = tk.h.url_for("dinamis_imagery.scene", collection="COLLECTION-OF-SCENE", item_id="ID-OF-SCENE")
    first, rest = marked.split("COLLECTION-OF-SCENE")
    middle, last = rest.split("ID-OF-SCENE")

    def address(collection: str, id: str) -> str:
        return f"{first}{quote(collection, safe=IN_PATH)}{middle}{quote(id, safe=IN_PATH)}{last}"

    return address


def _more(asked: rules.Filters, found: dict[str, Any]) -> str | None:
    """The query of the next page."""
    token = next((link["body"]["token"] for link in found["links"] if link["rel"] == "next"), None)
    return asked.query(token=token) if token else None


def _years(counts: list[tuple[int, int]], asked: rules.Filters) -> list[dict[str, Any]]:
    """Bars of the chart: every year between the first and the last, those without scenes too."""
    if not counts:
        return []
    by_year, most = dict(counts), max(count for _, count in counts)
    return [
        {"year": year, "count": by_year.get(year, 0), "text": describe.number(by_year.get(year, 0)),
         "height": round(100 * by_year.get(year, 0) / most), "current": asked.year == year,
         "query": (asked.without("period") if asked.year == year else asked.of_year(year)).query()}
        for year in range(min(by_year), max(by_year) + 1)
    ]  # fmt: skip


def _label(name: str, asked: rules.Filters, place: Any, collections: list[tuple[str, str]]) -> str:
    if name == "period":
        if asked.year:
            return str(asked.year)
        return f"{asked.start or '…'} – {asked.end or '…'}"
    said = {
        "place": place.label if place else asked.place,
        "bbox": tk._("Part of the map"),
        "area": tk._("Area of a file"),
        "cloud": tk._("Clouds: at most {value} %").format(value=asked.cloud),
        "platform": platform_name(asked.platform),
        "collection": dict(collections).get(asked.collection, asked.collection),
    }
    return said[name]


def _chips(asked: rules.Filters, place: Any, collections: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"label": _label(name, asked, place, collections), "query": asked.without(name).query()}
        for name in asked.active
    ]


def _culprits(engine: Any, asked: rules.Filters, outline: Any) -> list[dict[str, str]]:
    """Filters that empty the result: without each of them, how many scenes there would be."""
    found = []
    for name in asked.active:
        rest = asked.without(name)
        count = search.matched(engine, search.parse(rest.body(None if name in ("place", "area") else outline)))
        if count:
            label = _label(name, asked, None, _titles(search.all_collections(engine)))
            found.append({"label": label, "count": describe.number(count), "query": rest.query()})
    return found


def _resolution(item: dict[str, Any]) -> str | None:
    value = item["properties"].get("gsd")
    return describe.number(value, 2) if isinstance(value, (int, float)) else None


def _feature(geometry: Any, key: str) -> dict[str, Any]:
    return {"type": "Feature", "id": key, "geometry": geometry, "properties": {}}


def _tiles(asked: rules.Filters, outline: Any) -> str:
    """Address of the tiles; a place's outline is too long for an address, its box stands for it."""
    if outline and asked.place:
        asked = replace(asked, bbox=",".join(f"{value:.5f}" for value in shape(outline).bounds))
    query = replace(asked, place="").query()
    return f"{_path()}/tiles/{{z}}/{{x}}/{{y}}.mvt{query}"


def _map_data(features: list[dict[str, Any]], outline: Any, asked: rules.Filters | None) -> str:
    """What the map needs, as JSON that is safe inside a script element."""
    scenes = [_feature(one["geometry"], f"{one['collection']}/{one['id']}") for one in features]
    framed = asked.bbox if asked and not outline else ""
    data = {
        "scenes": {"type": "FeatureCollection", "features": scenes},
        "place": _feature(outline, "place") if outline else None,
        "bbox": [float(value) for value in framed.split(",")] if framed else None,
        "home": HOME if asked and not asked.active else None,
        "tiles": _tiles(asked, outline) if asked else None,
        "outline": tk.h.url_for_static("/dinamis/outline.json"), "towns": TOWNS,
        "base": config.map_tiles_url(), "attribution": config.map_attribution(),
    }  # fmt: skip
    return orjson.dumps(data).decode().replace("<", "\\u003c")
