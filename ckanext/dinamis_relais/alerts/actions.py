"""Actions on what is new: scenes by their arrival, and who is told of them."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.alerts import watching
from ckanext.dinamis_relais.alerts.latest import latest
from ckanext.dinamis_relais.alerts.model import Watch
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery import search
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit

__all__ = [
    "dinamis_scene_latest",
    "dinamis_watch_create",
    "dinamis_watch_delete",
    "dinamis_watch_list",
    "dinamis_watch_stop",
    "dinamis_watch_stop_show",
]

_MOST = 100


@tk.side_effect_free
def dinamis_scene_latest(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Scenes that came into the catalogue last, or changed last: the newest arrival first, whenever they were taken.

    :param bbox: west, south, east, north in degrees
    :param intersects: GeoJSON geometry (longitude, latitude); not together with ``bbox``
    :param datetime: RFC 3339 instant or interval, UTC
    :param collections: list of ids
    :param query: conditions on ``eo:cloud_cover`` (percent), ``platform``, ``gsd`` (metres)
    :param limit: how many, 1 to 100, 50 by default
    :returns: ``{"results": [STAC item with its "updated", RFC 3339 UTC]}``
    :raises toolkit.ValidationError: which member cannot be understood, and what is expected
    """
    tk.check_access("dinamis_scene_latest", context, data_dict)
    try:
        asked = search.parse({"limit": 50, **{key: value for key, value in data_dict.items() if key != "token"}})
    except search.SearchError as error:
        raise tk.ValidationError({error.field: [str(error)]}) from error
    return {"results": latest(scene_model.engine(), asked, min(asked.limit, _MOST))}


def _person(context: Any) -> Any:
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to be told of new images."))
    return user


def dinamis_watch_create(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Be told by mail of the images that come from now on over a territory; the same twice is one.

    :param kind: ``commune``, ``epci``, ``departement``, ``region``, or ``area`` for a part of the map
    :param code: the territory's code, or of an area its box (``west,south,east,north`` in degrees) or its rings
        (``_`` between longitudes and latitudes, ``~`` between rings)
    :returns: ``{"id", "kind", "code", "name", "since", "page", "email"}``: ``page`` is a path, ``email`` the address
        that is written to
    :raises toolkit.ValidationError: no such place, no address, or too many places
    """
    tk.check_access("dinamis_watch_create", context, data_dict)
    user = _person(context)
    kind, code = (str(tk.get_or_bust(data_dict, name)) for name in ("kind", "code"))
    try:
        found = watching.place(kind, code)
    except GuardError as error:
        raise tk.ValidationError({error.field: [str(error)]}) from error
    with one_commit():
        row = watching.start(user, kind, found)
    return {**watching.shown(row), "email": user.email}


@tk.side_effect_free
def dinamis_watch_list(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The places whose new images one is told of.

    :returns: ``{"count", "results": [{"id", "kind", "code", "name", "since", "page"}]}``
    """
    tk.check_access("dinamis_watch_list", context, data_dict)
    found = [watching.shown(row) for row in watching.of_user(_person(context).id)]
    return {"count": len(found), "results": found}


def dinamis_watch_delete(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Be told no longer of one place.

    :param id: of ``dinamis_watch_list``
    :returns: the place
    :raises toolkit.ObjectNotFound: one is told of no such place
    """
    tk.check_access("dinamis_watch_delete", context, data_dict)
    user = _person(context)
    with one_commit():
        row = session().get(Watch, str(tk.get_or_bust(data_dict, "id")), with_for_update=True)
        if row is None or row.user_id != user.id:
            raise tk.ObjectNotFound(tk._("You are not told of this place."))
        found = watching.shown(row)
        watching.stop([row], user.id)
    return found


@tk.side_effect_free
def dinamis_watch_stop_show(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """What the link of a mail about new images would stop.

    :param token: of the link
    :returns: ``{"places"}``: names of the places; none when there is nothing left to stop
    """
    tk.check_access("dinamis_watch_stop_show", context, data_dict)
    user_id = watching.user_of_token(str(tk.get_or_bust(data_dict, "token")))
    return {"places": [row.name for row in watching.of_user(user_id)]}


def dinamis_watch_stop(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Stop all mails about new images to the person whose link it is; needs no login.

    :param token: of the link
    :returns: ``{"count"}``: how many places
    """
    tk.check_access("dinamis_watch_stop", context, data_dict)
    user_id = watching.user_of_token(str(tk.get_or_bust(data_dict, "token")))
    with one_commit():
        rows = watching.of_user(user_id, lock=True)
        watching.stop(rows, user_id)
    return {"count": len(rows)}
