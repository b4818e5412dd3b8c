"""Which points of a grid over a territory footprints hold: quick estimates of what they cover. Pure, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

#: Rows and columns of the grid over a territory's box.
SIDE = 48
#: Footprints that are looked at together: memory stays some megabytes.
TOGETHER = 256


def inside(place: Any, shapes: Any) -> Any:
    """The points of a grid that lie in a territory, and which of them each shape holds.

    :param place: polygon or multipolygon
    :param shapes: array of valid polygons and multipolygons in the same plane
    :returns: array of 0 and 1 (float32), a row for each shape, a column for each point of the territory; without
        columns when the territory is too thin to hold a point
    """
    west, south, east, north = place.bounds
    middles = (np.arange(SIDE) + 0.5) / SIDE
    xs, ys = west + middles * (east - west), south + middles * (north - south)
    own = _held(np.array([place], dtype=object), xs, ys)[0]
    found = np.empty((len(shapes), int(own.sum())), dtype=np.float32)
    for start in range(0, len(shapes), TOGETHER):
        found[start : start + TOGETHER] = _held(shapes[start : start + TOGETHER], xs, ys)[:, own]
    return found


def _held(shapes: Any, xs: Any, ys: Any) -> Any:
    """By rows, columns: whether each shape holds a point, by how often its outline is crossed on the way to it."""
    parts, of_shape = shapely.get_parts(shapes, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    side = np.flatnonzero(of_ring[:-1] == of_ring[1:])  # from each point to the next one of its ring
    (x, y), (to_x, to_y) = points[side].T, points[side + 1].T
    at, row = np.nonzero((y[:, None] > ys) != (to_y[:, None] > ys))
    crossing = x[at] + (ys[row] - y[at]) * (to_x[at] - x[at]) / (to_y[at] - y[at])
    crossed = np.zeros((len(shapes), len(ys), len(xs) + 1), dtype=np.uint8)
    np.add.at(crossed, (of_shape[of_part[of_ring[side[at]]]], row, np.searchsorted(xs, crossing)), 1)
    return np.bitwise_and(np.add.accumulate(crossed, axis=2, dtype=np.uint8), 1)[:, :, :-1].astype(bool)
