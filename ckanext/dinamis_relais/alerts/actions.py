"""Actions on what is new. They read."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.alerts.latest import latest
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery import search

__all__ = ["dinamis_scene_latest"]

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
