"""Footprints that are read together are those that are read one by one."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.imagery import footprints
from ckanext.dinamis_relais.imagery.problems import Notes, Unusable

SQUARE = [[0.0, 44.0], [1.0, 44.0], [1.0, 45.0], [0.0, 45.0], [0.0, 44.0]]
NUMBERS = st.floats(-180, 180) | st.integers(-90, 90)


def alone(geometry: Any) -> footprints.Footprint | None:
    """What one look says of a geometry that needs no repair."""
    notes = Notes("x")
    try:
        found = footprints.read_one({"geometry": geometry}, notes)
    except Unusable:
        return None
    return None if notes else found


@given(st.lists(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=3, max_size=6), min_size=1, max_size=5))
def test_any_rings(rings: list[list[list[float]]]) -> None:
    geometries = [{"type": "Polygon", "coordinates": [[*ring, ring[0]]]} for ring in rings]
    assert footprints.read_many([{"geometry": one} for one in geometries]) == [alone(one) for one in geometries]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "Polygon", "coordinates": [SQUARE[:-1]]},
        {"type": "Polygon", "coordinates": [[[0, 44], [1, 44], [0, 44]]]},
        {"type": "Polygon", "coordinates": [[[*pair, 12.0] for pair in SQUARE]]},
        {"type": "Polygon", "coordinates": [SQUARE, [[0.2, 44.2], [0.4, 44.2], [0.4, 44.4], [0.2, 44.2]]]},
        {"type": "Polygon", "coordinates": [[["a", "b"]] * 4]},
        {"type": "Polygon", "coordinates": [[[True, False]] * 4]},
        {"type": "Polygon", "coordinates": [[None] * 4]},
        {"type": "Polygon", "coordinates": {}},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[[pair[0] * 500, pair[1]] for pair in SQUARE]]},
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
        {"type": "Point", "coordinates": [0, 44]},
        {},
        None,
    ],
)
def test_what_is_odd_takes_nothing_from_its_neighbours(odd: Any) -> None:
    good = {"type": "Polygon", "coordinates": [SQUARE]}
    found = footprints.read_many([{"geometry": good}, {"geometry": odd}, {"geometry": good}])
    assert found == [alone(good), alone(odd), alone(good)]
    assert found[0] is not None
    assert shapely.equals(shapely.from_wkb(found[0].wkb), shapely.box(0, 44, 1, 45))
