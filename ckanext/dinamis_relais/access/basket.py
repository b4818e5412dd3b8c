"""Scenes that a person put aside, to download them together."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais.access import catalogue, licences
from ckanext.dinamis_relais.access.identity import person
from ckanext.dinamis_relais.access.model import BasketScene
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.imagery.describe import ASSET_ROLES
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit

#: Scenes in a basket: with two files each, they are signed in one call.
MOST_SCENES = 512


def scenes_of(user_id: str) -> list[tuple[str, str]]:
    """(collection, item id) of a person's basket, in the order in which they were added."""
    query = sa.select(BasketScene.collection, BasketScene.item_id).where(BasketScene.user_id == user_id)
    return [(row[0], row[1]) for row in session().execute(query.order_by(BasketScene.added_at, BasketScene.item_id))]


@tk.side_effect_free
def dinamis_basket_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One's basket, or one scene as if it were alone in it.

    :param collection: with ``id``: this scene in place of the basket
    :param id: of the scene
    :returns: ``{"count", "results", "files", "bytes", "sizes_unknown", "licences", "most"}``: ``results`` scenes with
        ``collection, id, taken, files``; a file has ``key, role, url, bytes, name,
        title, raster``; ``licences`` those still to
        accept
    """
    tk.check_access("dinamis_basket_show", context, data_dict)
    user_id = person(context).id
    wanted = _wanted(data_dict) if data_dict.get("id") else scenes_of(user_id)
    by_scene: dict[tuple[str, str], list[catalogue.File]] = {}
    for file in catalogue.of_scenes(wanted):
        by_scene.setdefault((file.collection, file.item_id), []).append(file)
    results = [
        {"collection": key[0], "id": key[1], "taken": by_scene[key][0].taken,
         "files": [_file(file) for file in by_scene[key]]}
        for key in wanted if key in by_scene
    ]  # fmt: skip
    sizes = [file["bytes"] for scene in results for file in scene["files"]]
    have = licences.accepted(user_id)
    if data_dict.get("id") and not results:
        raise tk.ObjectNotFound(tk._("There is no such scene, or it has no file."))
    try:
        lacking = [licences.as_dict(one, have) for one in licences.lacking({key[0] for key in by_scene}, have)]
    except GuardError as error:
        raise tk.ValidationError({error.field: [str(error)]}) from error
    return {"count": len(results), "results": results, "files": len(sizes), "bytes": sum(s or 0 for s in sizes),
            "sizes_unknown": sizes.count(None), "licences": lacking, "most": MOST_SCENES}  # fmt: skip


def role_of(file: catalogue.File) -> str:
    """``multispectral``, ``panchromatic`` …, or ``other``."""
    return next((role for role, keys in ASSET_ROLES.items() if file.key in keys), "other")


def _file(file: catalogue.File) -> dict[str, Any]:
    return {
        "key": file.key, "role": role_of(file), "url": file.url, "bytes": file.bytes, "name": file.name,
        "title": f"{file.taken[:10]} {file.item_id} {file.key}", "raster": file.media_type.startswith("image/tiff"),
    }  # fmt: skip


def _wanted(data_dict: DataDict) -> list[tuple[str, str]]:
    collection = str(data_dict.get("collection") or "")
    year = data_dict.get("year")
    if collection and data_dict.get("id"):
        return [(collection, str(data_dict["id"]))]
    if collection:
        if year is not None and not str(year).isdecimal():
            raise GuardError("year", tk._("Give a year with four digits."))
        return catalogue.scenes_of_series(collection, int(str(year)) if year else None, MOST_SCENES + 1)
    scenes = data_dict.get("scenes")
    if not isinstance(scenes, list) or not all(isinstance(one, dict) for one in scenes):
        raise GuardError("scenes", tk._("Give a list of scenes, each with its collection and id."))
    return [(str(one.get("collection") or ""), str(one.get("id") or "")) for one in scenes[: MOST_SCENES + 1]]


def dinamis_basket_add(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Put scenes into one's basket: one, several, or a series.

    :param collection: with ``id`` one scene; alone or with ``year`` a whole series
    :param id: of the scene
    :param year: of the series, UTC
    :param scenes: several: a list of ``{"collection", "id"}``
    :returns: ``{"added", "count"}``
    :raises toolkit.ValidationError: no such scene, or more than a basket holds; then nothing is added
    """
    tk.check_access("dinamis_basket_add", context, data_dict)
    user_id = person(context).id
    with one_commit():
        wanted = list(dict.fromkeys(_wanted(data_dict)))
        known = {(file.collection, file.item_id) for file in catalogue.of_scenes(wanted[: MOST_SCENES + 1])}
        missing = next((one for one in wanted if one not in known), None)
        if not wanted or missing:
            raise GuardError("id", tk._("There is no such scene, or it has no file."))
        # The lock keeps two windows from filling one basket beyond its size.
        session().execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
                          {"key": f"dinamis_basket:{user_id}"})  # fmt: skip
        have = scenes_of(user_id)
        new = [one for one in wanted if one not in set(have)]
        if len(have) + len(new) > MOST_SCENES:
            text = tk._("A basket holds {most} images, and yours has {have}: {new} more are too many. Download and "
                        "empty it first, or narrow the choice.")  # fmt: skip
            raise GuardError("scenes", text.format(most=MOST_SCENES, have=len(have), new=len(new)))
        if new:
            rows = [{"user_id": user_id, "collection": c, "item_id": i, "added_at": utcnow()} for c, i in new]
            session().execute(insert(BasketScene.__table__).on_conflict_do_nothing(), rows)
    return {"added": len(new), "count": len(have) + len(new)}


def dinamis_basket_remove(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Take a scene out of one's basket, or empty it.

    :param collection: with ``id`` one scene; none for all of them
    :param id: of the scene
    :returns: ``{"removed", "count"}``
    """
    tk.check_access("dinamis_basket_remove", context, data_dict)
    user_id = person(context).id
    query = sa.delete(BasketScene).where(BasketScene.user_id == user_id)
    if data_dict.get("id"):
        collection, id_ = str(data_dict.get("collection") or ""), str(data_dict["id"])
        query = query.where(BasketScene.collection == collection, BasketScene.item_id == id_)
    with one_commit():
        removed = session().execute(query.execution_options(synchronize_session=False)).rowcount
    return {"removed": removed, "count": len(scenes_of(user_id))}
