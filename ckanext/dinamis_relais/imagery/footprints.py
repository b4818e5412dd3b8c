"""Footprints of STAC items as the scene store keeps them. Pure."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import orjson
import shapely
from shapely.validation import explain_validity

from ckanext.dinamis_relais.imagery.problems import Notes, Unusable


class Footprint(NamedTuple):
    """Where a scene lies: longitude and latitude in degrees, EPSG:4326.

    :ivar bounds: west, south, east, north
    :ivar wkb: EWKB
    """

    bounds: list[float]
    wkb: bytes


#: What JSON's numbers are in Python; its true and false are no coordinates.
_NUMBERS = frozenset({int, float})


def read_many(raws: list[Any]) -> list[Footprint | None]:
    """The footprints of items that are simply good; None where a closer look must say what is wrong."""
    found = _geometries([raw.get("geometry") if isinstance(raw, dict) else None for raw in raws])
    bounds = shapely.bounds(found)
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, 0] >= -180) & (bounds[:, 2] <= 180) & (bounds[:, 1] >= -90) & (bounds[:, 3] <= 90)
    good = inside & shapely.is_valid(found) & ~shapely.is_empty(found) & ~shapely.is_missing(found)
    boxes, wkb = bounds.tolist(), _wkb(found)
    return [Footprint(boxes[n], wkb[n]) if usable else None for n, usable in enumerate(good.tolist())]


def _wkb(geometries: Any) -> Any:
    return shapely.to_wkb(shapely.set_srid(geometries, 4326), output_dimension=2, include_srid=True)


def _geometries(values: list[Any]) -> Any:
    """GeoJSON geometries; None for what is none. Most are of one ring: those are made without GEOS's JSON reader."""
    found = np.full(len(values), None, dtype=object)
    rings = {n: ring for n, value in enumerate(values) if (ring := _ring(value))}
    flat = list(chain.from_iterable(chain.from_iterable(rings.values())))
    if rings and are_numbers(flat):
        ends = np.cumsum([0, *map(len, rings.values())])
        corners = np.array(flat, dtype=float).reshape(-1, 2)
        kind = shapely.GeometryType.POLYGON
        found[list(rings)] = shapely.from_ragged_array(kind, corners, (ends, np.arange(len(ends))))
    else:
        rings = {}
    others = [n for n in range(len(values)) if n not in rings]
    if others:
        found[others] = shapely.from_geojson([_json(values[n]) for n in others], on_invalid="ignore")
    return found


def _ring(value: Any) -> list[list[Any]] | None:
    """The closed ring of pairs that a polygon is made of; None when it is made of anything else."""
    if not isinstance(value, dict) or value.get("type") != "Polygon":
        return None
    rings = value.get("coordinates")
    ring = rings[0] if type(rings) is list and len(rings) == 1 else None
    if type(ring) is not list or len(ring) < 4 or ring[0] != ring[-1]:
        return None
    return ring if set(map(type, ring)) == {list} and set(map(len, ring)) == {2} else None


def are_numbers(values: list[Any]) -> bool:
    """Whether all are finite numbers."""
    return _NUMBERS.issuperset(map(type, values)) and all(map(math.isfinite, values))


def _json(value: Any) -> bytes | None:
    try:
        return orjson.dumps(value) if isinstance(value, dict) else None
    except orjson.JSONEncodeError:
        return None


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
    return Footprint(list(geometry.bounds), _wkb(geometry))
