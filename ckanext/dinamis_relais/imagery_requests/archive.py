"""What the archive already holds over an area and a period, asked of the room of images before a request is sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import shapely
from ckan.types import Context
from shapely.geometry import shape
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais.imagery_requests.areas import to_equal_area

#: Scenes of the period that are looked at; beyond them the share is "at least".
MOST = 200
#: The newest scenes over the area, whatever their date, shown where the period holds nothing.
MOST_RECENT = 5
#: A scene is no coarser than what is asked for when its pixel is within this part of it.
TOLERANCE = 1.05


def fits(item: dict[str, Any], cloud: int | None, metres: float) -> bool:
    """Whether a scene is as fine and as clear as asked; what is unknown does not fit, since nobody promised it.

    :param item: STAC item
    :param cloud: most clouds, in percent of the scene; None for any
    :param metres: size of a pixel on the ground
    """
    properties = item.get("properties") or {}
    clouds, gsd = properties.get("eo:cloud_cover"), properties.get("gsd")
    clear = cloud is None or cloud >= 100 or (isinstance(clouds, (int, float)) and clouds <= cloud)
    return clear and isinstance(gsd, (int, float)) and gsd <= metres * TOLERANCE


def shares(area: dict[str, Any], footprints: list[dict[str, Any]]) -> tuple[float, list[float]]:
    """Share of an area that footprints cover together, and each by itself; 0 to 1.

    :param area: GeoJSON polygons (longitude, latitude)
    :param footprints: GeoJSON geometries
    """
    whole = to_equal_area(shape(area))
    # A tenth of a thousandth of a degree is not seen in a share, and a département's outline has many points.
    whole = shapely.make_valid(whole.simplify(10))
    parts, each = [], []
    for footprint in footprints:
        covered = shapely.make_valid(to_equal_area(shape(footprint))).intersection(whole)
        parts.append(covered)
        each.append(min(1.0, covered.area / whole.area))
    together = shapely.union_all(parts).area / whole.area if parts else 0.0
    return min(1.0, together), each


def _search(context: Context, area: dict[str, Any], limit: int, **more: Any) -> dict[str, Any]:
    return tk.get_action("dinamis_scene_search")(
        {"user": context.get("user", "")}, {"intersects": area, "limit": limit, **more}
    )


def _scene(item: dict[str, Any], share: float, cloud: int | None, metres: float) -> dict[str, Any]:
    from ckanext.dinamis_relais.imagery import describe

    properties = item.get("properties") or {}
    row = describe.row(item)
    return {
        "id": item["id"], "collection": item["collection"], "key": row["key"],
        "title": f"{row['sensor']}, {row['date']}", "datetime": properties.get("datetime"),
        "cloud": properties.get("eo:cloud_cover"), "gsd": properties.get("gsd"), "share": share,
        "fits": fits(item, cloud, metres), "synthetic": row["synthetic"], "geometry": item["geometry"],
        "url": tk.url_for("dinamis_imagery.scene", collection=item["collection"], item_id=item["id"]),
    }  # fmt: skip


def look(
    context: Context, area: dict[str, Any], starts: dt.date, ends: dt.date, cloud: int | None, metres: float
) -> dict[str, Any]:
    """What the archive holds over an area in a period, the scenes that fit and cover most first.

    :param area: GeoJSON polygons (longitude, latitude)
    :param starts: first day, UTC
    :param ends: last day, UTC
    :returns: ``{"available", "count", "share", "share_fitting", "complete", "scenes", "recent"}``; shares from 0 to 1;
        ``complete`` is False when there are more scenes than were looked at; ``available`` is False, and all else
        empty, when the scene store does not answer
    """
    days = f"{starts.isoformat()}T00:00:00Z/{ends.isoformat()}T23:59:59Z"
    try:
        found = _search(context, area, MOST, datetime=days)
        recent = [] if found["features"] else _search(context, area, MOST_RECENT)["features"]
    except SQLAlchemyError:
        return {"available": False, "count": 0, "share": 0.0, "share_fitting": 0.0, "complete": False, "scenes": [],
                "recent": []}  # fmt: skip
    items = found["features"]
    share, each = shares(area, [item["geometry"] for item in items])
    fitting, _each = shares(area, [item["geometry"] for item in items if fits(item, cloud, metres)])
    scenes = [_scene(item, part, cloud, metres) for item, part in zip(items, each, strict=True)]
    scenes.sort(key=lambda one: (not one["fits"], -round(one["share"], 2)))
    parts = shares(area, [item["geometry"] for item in recent])[1]
    return {
        "available": True, "count": found["numberMatched"], "share": share, "share_fitting": fitting,
        "complete": found["numberMatched"] <= len(items), "scenes": scenes,
        "recent": [_scene(item, part, cloud, metres) for item, part in zip(recent, parts, strict=True)],
    }  # fmt: skip


def kept(found: dict[str, Any]) -> dict[str, Any]:
    """What a request keeps of :func:`look`: figures, and the names of the best scenes."""
    scenes = [{key: one[key] for key in ("id", "collection", "title", "share", "cloud", "fits")}
              for one in found["scenes"][:10]]  # fmt: skip
    names = ("available", "count", "share", "share_fitting", "complete")
    return {**{name: found[name] for name in names}, "scenes": scenes}
