"""Footprints of STAC items as the scene store keeps them. Pure."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import orjson
import shapely
from shapely.validation import explain_validity

from ckanext.dinamis_relais.imagery.problems import Notes, Unusable


class Footprint(NamedTuple):
    """Where a scene lies: longitude and latitude in degrees, EPSG:4326.

    :ivar bounds: west, south, east, north
    :ivar wkb: EWKB in hexadecimal
    """

    bounds: list[float]
    wkb: str


def read_many(raws: list[Any]) -> list[Footprint | None]:
    """The footprints of items that are simply good; None where a closer look must say what is wrong."""
    texts = []
    for raw in raws:
        value = raw.get("geometry") if isinstance(raw, dict) else None
        try:
            texts.append(orjson.dumps(value) if isinstance(value, dict) else None)
        except orjson.JSONEncodeError:
            texts.append(None)
    found = shapely.from_geojson(texts, on_invalid="ignore")
    bounds = shapely.bounds(found)
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, 0] >= -180) & (bounds[:, 2] <= 180) & (bounds[:, 1] >= -90) & (bounds[:, 3] <= 90)
    good = inside & shapely.is_valid(found) & ~shapely.is_empty(found) & ~shapely.is_missing(found)
    wkb = shapely.to_wkb(shapely.set_srid(shapely.force_2d(found), 4326), hex=True, include_srid=True)
    boxes = bounds.tolist()
    return [Footprint(boxes[n], wkb[n]) if good[n] else None for n in range(len(raws))]


def read_one(item: dict[str, Any], notes: Notes) -> Footprint:
    """The footprint of one item; repaired in the item too, with a note, when it crosses itself.

    :raises Unusable: there is none, or it is not on the Earth
    """
    value = item.get("geometry")
    if not isinstance(value, dict):
        raise Unusable("geometry", "It has no geometry.", "Add its footprint (GeoJSON) at the source.")
    try:
        geometry = shapely.from_geojson(orjson.dumps(value))
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise Unusable("geometry", f"It is no valid GeoJSON ({error}).", "Correct it.") from error
    if geometry is None or geometry.is_empty:
        raise Unusable("geometry", "It is empty.", "Add its footprint (GeoJSON) at the source.")
    bounds = geometry.bounds
    if not all(math.isfinite(value) for value in bounds):
        raise Unusable("geometry", "A coordinate is not a number.", "Correct the footprint.")
    if bounds[0] < -180 or bounds[2] > 180 or bounds[1] < -90 or bounds[3] > 90:
        raise Unusable(
            "geometry", f"It reaches {max(map(abs, bounds)):g}: not longitude and latitude in degrees.",
            "Give the footprint in EPSG:4326, longitude first.",
        )  # fmt: skip
    if not geometry.is_valid:
        why = explain_validity(geometry)
        geometry = shapely.make_valid(geometry)
        item["geometry"] = orjson.loads(shapely.to_geojson(geometry))
        notes.add("geometry", f"It is not a valid polygon ({why}).", "Repaired.")
    wkb = shapely.to_wkb(shapely.set_srid(shapely.force_2d(geometry), 4326), hex=True, include_srid=True)
    return Footprint(list(geometry.bounds), wkb)
