"""Actions on scenes. They read; nothing here writes."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import orjson

from ckanext.dinamis_relais.imagery import covering, queryables, search, stac, territories
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery.datasets import site_url
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable

__all__ = ["dinamis_scene_coverage", "dinamis_scene_search", "dinamis_scene_show"]


@tk.side_effect_free
def dinamis_scene_search(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Scenes that match a STAC search, newest first by default.

    :param bbox: west, south, east, north in degrees
    :param intersects: GeoJSON geometry (longitude, latitude); not together with ``bbox``
    :param datetime: RFC 3339 instant or interval, UTC
    :param collections: list of ids
    :param ids: list of ids
    :param filter: conditions in CQL2, text or JSON, on what ``/dinamis/stac/queryables`` lists
    :param query: conditions by property, ``{"eo:cloud_cover": {"lte": 10}}``
    :param sortby: list of ``{"field", "direction"}``, or ``-datetime,+eo:cloud_cover``; unknown values come last
    :param fields: ``{"include": [...], "exclude": [...]}``: what is given of each scene
    :param limit: scenes a page, 1 to 1000, 10 by default
    :param token: where a page begins, from a ``next`` or ``prev`` link
    :param count: false when ``numberMatched`` is not needed: to count may take longer than to list
    :returns: a GeoJSON FeatureCollection with ``numberMatched``, ``numberReturned`` and links to the ``next`` and
        ``prev`` pages
    :raises toolkit.ValidationError: which member cannot be understood, and what is expected
    """
    tk.check_access("dinamis_scene_search", context, data_dict)
    count = tk.asbool(data_dict.get("count", True))
    body = {name: value for name, value in data_dict.items() if name != "count"}
    return orjson.loads(search_text(body, count=count, exact=True))


@tk.side_effect_free
def dinamis_scene_show(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One scene as a STAC 1.1 item.

    :param collection: id of its collection
    :param id: its id
    :raises toolkit.ObjectNotFound: there is no such scene
    """
    tk.check_access("dinamis_scene_show", context, data_dict)
    return orjson.loads(show_text(*tk.get_or_bust(data_dict, ["collection", "id"])))


@tk.side_effect_free
def dinamis_scene_coverage(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Which scenes cover a territory, year by year: the fewest that do, and what is missing.

    :param kind: ``commune``, ``epci``, ``departement`` or ``region``
    :param code: the territory's Insee code; of an EPCI its SIREN
    :param years: list of years (UTC), at most 30; all that the catalogue has by default
    :param whole: which of the years are given whole: ``all`` by default, ``newest`` (the newest with an image),
        ``none``, or one year; of the others neither ``scenes``, ``best``, ``latest`` nor ``holes`` are given
    :returns: ``territory`` (``kind``, ``code``, ``name``, ``label``, ``area_km2``, ``outline`` as GeoJSON), ``years``.
        A year has ``year``, ``share`` covered (0 to 1; None when there was no time for it: ask again), ``count`` of
        scenes that cover any of it, ``compared`` (False when only the clearest of very many were compared), ``scenes``
        (the fewest that cover it, ``scene_count`` of them, each with ``label``: where a map writes its number),
        ``best`` (the one to take if only one is), ``latest``, each with its footprint, its cloud cover in percent and
        the ``share`` that it covers; ``cloud``, their mean; ``holes`` as a GeoJSON FeatureCollection with
        ``direction`` and ``area_km2``; ``hole_count`` and ``hole_km2`` of all
    :raises toolkit.ValidationError: what cannot be understood, or a service that does not answer, with what to do
    :raises toolkit.ObjectNotFound: there is no such territory
    """
    tk.check_access("dinamis_scene_coverage", context, data_dict)
    kind, code = (str(value) for value in tk.get_or_bust(data_dict, ["kind", "code"]))
    if kind not in territories.KINDS:
        raise tk.ValidationError({"kind": [tk._("Choose commune, EPCI, département or région.")]})
    asked, whole = _years(data_dict.get("years")), _whole(data_dict.get("whole"))
    try:
        territory = territories.read(kind, code.upper())
    except PlaceUnavailable as error:
        sentence = tk._("The outline of this territory cannot be had just now: the service of outlines (API Géo) does "
                        "not answer. Try again in a few minutes.")  # fmt: skip
        raise tk.ValidationError({"code": [sentence]}) from error
    if territory is None or territory.outline is None:
        raise tk.ObjectNotFound(tk._("There is no territory of this kind with this code."))
    try:
        found = covering.of_territory(scene_model.engine(), territory, asked, whole)
    except covering.TooMuch as error:
        sentence = tk._("There are too many scenes over this territory to compare them at once. Ask for fewer years, "
                        "or for a smaller territory.")  # fmt: skip
        raise tk.ValidationError({"years": [sentence]}) from error
    named = {"kind": kind, "code": territory.code, "name": territory.name, "label": territory.label}
    return {
        "territory": {**named, "area_km2": territory.km2, "outline": territory.outline},
        "years": found,
    }  # fmt: skip


def _years(value: Any) -> list[int] | None:
    """Years as a list of numbers, or of texts as an address gives them; None for all."""
    if value in (None, ""):
        return None
    given = value if isinstance(value, list) else [value]
    texts = [str(one) for one in given]
    if not all(text.isdecimal() and 1 <= int(text) <= 9998 for text in texts) or len(texts) > covering.MOST_YEARS:
        sentence = tk._("Give a list of at most {n} years.").format(n=covering.MOST_YEARS)
        raise tk.ValidationError({"years": [sentence]})
    return sorted({int(text) for text in texts}) or None


def _whole(value: Any) -> str | int:
    """Which years are given whole, as :func:`covering.of_territory` takes it."""
    text = str(value or covering.ALL)
    if text in (covering.ALL, covering.NEWEST, covering.NONE):
        return text
    if not (text.isascii() and text.isdecimal()):
        raise tk.ValidationError({"whole": [tk._("Give all, newest, none, or a year.")]})
    return int(text)


def site() -> stac.Site:
    """This site, as links name it."""
    return stac.Site(site_url(), tk.config.get("ckan.site_title") or "CKAN")


def search_text(
    body: dict[str, Any], asked: dict[str, str] | None = None, href: str | None = None, count: bool = True,
    exact: bool = False,
) -> str:  # fmt: skip
    """The answer to a search as JSON text. The STAC API sends it so: no item is read on the way.

    :param body: as ``dinamis_scene_search`` takes it
    :param asked: parameters of a GET, which its ``next`` link repeats; None when the search was a POST
    :param href: address that was asked; the search's by default
    :param count: False when the number of matches is not needed
    :param exact: True to count all matches, however long it takes
    """
    here = site()
    address = href or f"{here.root}/search"
    engine = scene_model.engine()
    try:
        known = queryables.stored(engine) if any(body.get(name) for name in search.NAMING) else None
        asked_for = search.parse(body, known)
        found = search.run(engine, asked_for, count, exact)
    except search.SearchError as error:
        raise tk.ValidationError({error.field: [str(error)]}) from error
    repeated = body if asked is None else asked
    params = {key: value for key, value in repeated.items() if key != "token" and value is not None}
    links = stac.base_links(here, address, params if asked is not None else {})
    for rel, token in (("next", found.token), ("prev", found.before)):
        if token is not None:
            links.append(stac.page_link(rel, address, {**params, "token": token}, asked is None))
    return stac.item_collection(here, found, links, asked_for.fields)


def show_text(collection: str, item_id: str) -> str:
    """One item as JSON text.

    :raises toolkit.ObjectNotFound: there is no such scene
    """
    stored = search.show(scene_model.engine(), collection, item_id)
    if stored is None:
        raise tk.ObjectNotFound(tk._("There is no such scene."))
    return stac.item_text(site(), stored, collection, item_id)
