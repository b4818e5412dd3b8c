"""Which images are there of my commune: the search for a place, a territory's page, its table and its picture."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import orjson
from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import __version__, config, throttle
from ckanext.dinamis_relais.imagery import coverage_picture, coverage_words, describe, series_picture, territories
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable, kept
from ckanext.dinamis_relais.imagery.series_picture import TOWNS
from ckanext.dinamis_relais.web import act, allowed, csv_of, file_response, page, problems

dinamis_coverage = Blueprint("dinamis_coverage", __name__, url_prefix="/dinamis/coverage")

#: Suggestions that one network address may ask for in an hour; a person types a dozen.
SUGGESTIONS = 1_000
#: Letters from which on a name is looked up while it is typed.
LEAST = 3


def _url(kind: str, code: str, **more: Any) -> str:
    return tk.h.url_for("dinamis_coverage.show", kind=kind, code=code, **more)


def _scene_url(collection: str, item_id: str) -> str:
    return tk.h.url_for("dinamis_imagery.scene", collection=collection, item_id=item_id, _external=True)


def _search(text: str) -> list[dict[str, Any]]:
    """Territories to choose from, each with its address."""
    return [
        {"label": one.label, "kind": coverage_words.kind_label(one.kind), "within": one.within,
         "url": _url(one.kind, one.code), "exact": territories.exact(one, text)}
        for one in territories.search(text)
    ]  # fmt: skip


def _index(text: str = "", found: Any = None, problem: str = "", status: int = 200) -> Any:
    values = {"q": text, "found": found, "problem": problem, "assets_version": __version__}
    return tk.render("dinamis/imagery/coverage_index.html", values), status


@dinamis_coverage.get("", strict_slashes=False, endpoint="index")
@page
def index() -> Any:
    """Type a place; one that is meant without doubt opens at once, several are shown to choose from."""
    text = tk.request.args.get("q", "").replace("\x00", "").strip()[:100]
    if not text:
        return _index()
    try:
        found = _search(text)
    except PlaceUnavailable:
        sentence = tk._("The place could not be looked up just now. Try again in a few minutes, or find the images on "
                        "the map.")  # fmt: skip
        return _index(text, None, sentence, 503)
    meant = found if len(found) == 1 else [one for one in found if one["exact"]]
    return tk.redirect_to(meant[0]["url"]) if len(meant) == 1 else _index(text, found)


@dinamis_coverage.get("/places.json", endpoint="places")
@page
def places() -> Response:
    """What a name that is being typed may mean; nothing when nobody can say."""
    text = tk.request.args.get("q", "").replace("\x00", "").strip()[:100]
    found: list[dict[str, Any]] = []
    if len(text) >= LEAST and throttle.allowed("places", throttle.client(), SUGGESTIONS):
        try:
            found = _search(text)
        except PlaceUnavailable:
            found = []
    answer = Response(orjson.dumps(found), mimetype="application/json")
    answer.headers["Cache-Control"] = "public, max-age=3600" if found else "no-store"
    return answer


def _asked(kind: str, code: str, whole: str = "") -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The coverage, and the year that is shown: the one of the address, else the newest with images.

    :param whole: ``all`` when more than the shown year is wanted whole
    """
    if kind not in territories.KINDS:
        raise tk.ObjectNotFound(tk._("There is no territory of this kind with this code."))
    asked = tk.request.args.get("year")
    if asked and not (asked.isascii() and asked.isdecimal()):
        raise tk.ObjectNotFound(tk._("The catalogue has no image of this year."))
    found = act("dinamis_scene_coverage", kind=kind, code=code, whole=whole or asked or "newest")
    of_year = {str(one["year"]): one for one in found["years"]}
    if asked and asked not in of_year:
        raise tk.ObjectNotFound(tk._("The catalogue has no image of this year."))
    newest = next((one for one in reversed(found["years"]) if one["share"]), None)
    return found, of_year.get(asked or "") or newest or (found["years"][-1] if found["years"] else None)


@dinamis_coverage.get("/<kind>/<code>", endpoint="show")
@page
def show(kind: str, code: str) -> Any:
    """A territory: its years, and the scenes that cover it in one of them."""
    try:
        found, year = _asked(kind, code)
    except tk.ValidationError as error:
        return _index(problem=" ".join(problems(error)), status=503)
    except SQLAlchemyError:
        return tk.render("dinamis/imagery/unavailable.html", {}), 503
    computed = year is not None and year["share"] is not None
    place = found["territory"]
    values = {
        "place": place, "kind_label": coverage_words.kind_label(kind), "area": _area(place["area_km2"]),
        "year": year if computed else None, "sentence": coverage_words.sentence(year) if year else None,
        "cells": coverage_words.strip(found["years"], year["year"] if year else None),
        "rows": [coverage_words.row(one) for one in year["scenes"]] if year and computed else [],
        "more": {name: coverage_words.row(year[name]) for name in ("best", "latest") if year[name]}
        if year and computed else {},
        "late": any(one["share"] is None for one in found["years"]),
        "explorer": _explorer(place, year), "map": _map(place, year) if year and computed else None,
        "request_kinds": ("commune", "epci", "departement"), "assets_version": __version__,
    }  # fmt: skip
    return tk.render("dinamis/imagery/coverage.html", values)


@dinamis_coverage.get("/<kind>/<code>.csv", endpoint="table")
@page
def table(kind: str, code: str) -> Response:
    """All years and their scenes, for a spreadsheet."""
    found = _found(kind, code, whole="all")[0]
    content = csv_of(coverage_words.table(found["years"], _scene_url))
    return file_response(content, "text/csv", f"couverture-{kind}-{found['territory']['code']}.csv", inline=False)


@dinamis_coverage.get("/<kind>/<code>.png", endpoint="picture")
@page
def picture(kind: str, code: str) -> Response:
    """One year as a picture, to put into a report; the page shows it where there is no JavaScript."""
    found, year = _found(kind, code)
    if year is None or year["share"] is None:
        raise tk.ObjectNotFound(tk._("The catalogue has no image of this year."))
    credit = tk._("Footprints: catalogue of {site}. Outline: API Géo. Areas by footprint, clouds not deducted.")
    content = coverage_picture.png(found["territory"], year, credit.format(site=config.site_url()))
    name = f"couverture-{kind}-{found['territory']['code']}-{year['year']}.png"
    return file_response(content, "image/png", name)


@dinamis_coverage.get("/<kind>/<code>/territory.png", endpoint="territory")
@page
def territory(kind: str, code: str) -> Response:
    """Where a territory lies, for the page of the organisation whose territory it is."""
    allowed("dinamis_scene_coverage")
    try:
        content = _territory_picture(kind, code.upper()) if kind in territories.KINDS else None
    except PlaceUnavailable:
        return tk.abort(503, tk._("The service of outlines (API Géo) does not answer. Try again in a few minutes."))
    if content is None:
        raise tk.ObjectNotFound(tk._("There is no territory of this kind with this code."))
    response = Response(content, mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.add_etag()
    response.make_conditional(tk.request.environ)
    return response


def _territory_picture(kind: str, code: str) -> bytes | None:
    """The picture, drawn once a month; None for a territory that nobody knows."""
    known = territories.read(kind, code)
    if known is None or known.outline is None:
        return None
    outline = known.outline
    drawn = hashlib.sha256(orjson.dumps([series_picture.VERSION, outline, TOWNS])).hexdigest()
    return kept(f"picture/{drawn}", lambda: series_picture.territory_png(outline, TOWNS))


def _found(kind: str, code: str, whole: str = "") -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The same for a file: what a page says in a sentence is an error of its own here."""
    try:
        return _asked(kind, code, whole)
    except (tk.ValidationError, SQLAlchemyError) as error:
        said = " ".join(problems(error)) if isinstance(error, tk.ValidationError) else ""
        return tk.abort(503, said or tk._("The catalogue of scenes does not answer. Try again in a few minutes."))


def _area(km2: float) -> str:
    """Square kilometres: to the hectare for a commune, to the kilometre for what is large."""
    return describe.number(km2, 2 if km2 < 100 else 0)


def _explorer(place: dict[str, Any], year: dict[str, Any] | None) -> str:
    period = {"from": f"{year['year']}-01-01", "to": f"{year['year']}-12-31"} if year else {}
    text = place["code"] if place["kind"] == "commune" else place["label"]
    return tk.h.url_for("dinamis_imagery.explorer", place=text, **period)


def _map(place: dict[str, Any], year: dict[str, Any]) -> str:
    """What the map needs, as JSON that is safe inside a script element."""
    features = [
        {"type": "Feature", "id": f"{one['collection']}/{one['id']}", "geometry": one["geometry"],
         "properties": {"number": number, "label": one["label"]}}
        for number, one in enumerate(year["scenes"], 1)
    ]  # fmt: skip
    data = {
        "scenes": {"type": "FeatureCollection", "features": features}, "holes": year["holes"],
        "place": {"type": "Feature", "properties": {}, "geometry": place["outline"]},
        "outline": tk.h.url_for_static("/dinamis/outline.json"),
        "base": config.map_tiles_url(), "attribution": config.map_attribution(),
    }  # fmt: skip
    return orjson.dumps(data).decode().replace("<", "\\u003c")
