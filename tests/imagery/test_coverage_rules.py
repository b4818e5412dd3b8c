"""The smallest set of scenes, its holes and its areas, on made-up grids that can be counted by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from ckanext.dinamis_relais.imagery import coverage, setcover
from ckanext.dinamis_relais.imagery.choosing import SLIVER, Candidate, cover
from ckanext.dinamis_relais.imagery.coverage import clips, territory

#: Ten cells a side, near Bordeaux; each is more than a sliver.
SIDE, WEST, SOUTH, CELL = 10, -0.5, 44.5, 0.02


def box(west: int, south: int, east: int, north: int) -> shapely.Polygon:
    return shapely.box(WEST + west * CELL, SOUTH + south * CELL, WEST + east * CELL, SOUTH + north * CELL)


PLACE = territory(box(0, 0, SIDE, SIDE))


def cells(one: tuple[int, int, int, int]) -> set[tuple[int, int]]:
    west, south, east, north = one
    return {(x, y) for x in range(west, east) for y in range(south, north) if 0 <= x < SIDE and 0 <= y < SIDE}


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    west, south = draw(st.integers(-2, SIDE - 1)), draw(st.integers(-2, SIDE - 1))
    return west, south, west + draw(st.integers(1, SIDE)), south + draw(st.integers(1, SIDE))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(boxes(), st.one_of(st.none(), st.integers(0, 100))), max_size=7))
def test_the_fewest_scenes_cover_what_all_cover(scenes: list[tuple[tuple[int, int, int, int], int | None]]) -> None:
    candidates = [Candidate(n, cloud) for n, (_box, cloud) in enumerate(scenes)]
    footprints = np.array([box(*one) for one, _cloud in scenes], dtype=object)
    found = cover(PLACE, candidates, footprints)
    everything = set().union(*(cells(one) for one, _cloud in scenes)) if scenes else set()
    assert found.share == pytest.approx(len(everything) / SIDE**2, abs=2e-3)
    taken = [cells(scenes[n][0]) for n in found.chosen]
    assert set().union(*taken) == everything, "covers what the union covers"
    for n in range(len(taken)):
        assert set().union(*taken[:n], *taken[n + 1 :]) != everything, "no scene is redundant"
    fewest = next(
        size for size in range(len(scenes) + 1)
        if any(set().union(*(cells(scenes[n][0]) for n in some)) == everything
               for some in itertools.combinations(range(len(scenes)), size))
    )  # fmt: skip
    assert len(found.chosen) == fewest, "no smaller set would do"
    missing = sum(hole.area for hole in found.holes)
    assert missing == pytest.approx((1 - found.share) * PLACE.area, abs=2e-3 * PLACE.area)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_shapes_do(data: st.DataObject) -> None:
    """Slanted, self-crossing and scattered outlines: the promise holds within the sliver."""
    corner = st.tuples(st.floats(-0.6, -0.2), st.floats(44.4, 44.8))
    rings = data.draw(st.lists(st.lists(corner, min_size=3, max_size=6), min_size=1, max_size=9))
    footprints = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    candidates = [Candidate(n, 10.0) for n in range(len(rings))]
    pieces = clips(PLACE, footprints)
    found = cover(PLACE, candidates, footprints)
    whole = shapely.union_all(pieces).area
    tolerance = SLIVER * PLACE.area
    chosen = [pieces[n] for n in found.chosen]
    assert whole - shapely.union_all(chosen).area <= tolerance + 1
    for n in range(len(chosen)) if len(chosen) > 1 else ():
        assert whole - shapely.union_all(chosen[:n] + chosen[n + 1 :]).area > tolerance - 1
    assert found.share == pytest.approx(whole / PLACE.area, abs=1e-5)
    assert all(hole.area > tolerance for hole in found.holes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 255), min_size=1, max_size=8))
def test_exact_set_cover_agrees_with_trying_all(sets: list[int]) -> None:
    def union(some: tuple[int, ...]) -> int:
        return int(np.bitwise_or.reduce([sets[n] for n in some])) if some else 0

    everyone = tuple(range(len(sets)))
    best = next(s for k in range(len(sets) + 1) for s in itertools.combinations(everyone, k)
                if union(s) == union(everyone))  # fmt: skip
    found = setcover.exact(sets, [0.0] * len(sets), list(everyone))
    assert len(found) == len(best) and union(tuple(found)) == union(everyone)
    assert setcover.exact(sets, [0.0] * len(sets), list(everyone), budget=0) == list(everyone)


def test_the_trap_of_taking_the_largest_first() -> None:
    """Greed takes the middle and then needs both halves: three, where two do."""
    scenes = [box(0, 0, 5, 10), box(5, 0, 10, 10), box(1, 0, 9, 8)]
    found = cover(PLACE, [Candidate(n) for n in range(3)], np.array(scenes, dtype=object))
    assert sorted(found.chosen) == [0, 1] and found.share == pytest.approx(1)


def test_the_clearer_of_two_equal_scenes_is_taken_and_unknown_is_not_clear() -> None:
    whole = np.array([box(-1, -1, 11, 11)] * 3, dtype=object)
    found = cover(PLACE, [Candidate(0, 60.0), Candidate(1, 5.0), Candidate(2, None)], whole)
    assert (found.chosen, found.best, found.holes) == ([1], 1, [])
    assert cover(PLACE, [Candidate(0, None), Candidate(1, 80.0)], whole[:2]).chosen == [0]


@pytest.mark.parametrize(
    ("gap", "direction"),
    [((0, 8, 10, 10), "n"), ((8, 8, 10, 10), "ne"), ((8, 0, 10, 10), "e"), ((0, 0, 2, 2), "sw"), ((4, 4, 6, 6), "c")],
)
def test_a_hole_is_measured_and_placed(gap: tuple[int, int, int, int], direction: str) -> None:
    scene = shapely.difference(box(-1, -1, 11, 11), box(*gap))
    found = cover(PLACE, [Candidate(0)], np.array([scene], dtype=object))
    (hole,) = found.holes
    west, south, east, north = box(*gap).bounds
    truth = abs(
        Geod(ellps="GRS80").geometry_area_perimeter(shapely.segmentize(shapely.box(west, south, east, north), 0.001))[0]
    )
    assert hole.direction == direction
    assert hole.area == pytest.approx(truth, rel=1e-3)


def test_slivers_are_no_holes() -> None:
    scenes = np.array(
        [box(0, 0, 5, 10), shapely.box(WEST + 5 * CELL + 1e-5, SOUTH, WEST + 0.2, SOUTH + 0.2)], dtype=object
    )
    found = cover(PLACE, [Candidate(0), Candidate(1)], scenes)
    assert found.holes == [] and found.share > 0.999


def test_areas_are_those_of_the_ellipsoid_wherever_the_territory_lies() -> None:
    for south in (-21.3, 14.4, 44.5, 46.9):
        outline = shapely.box(0.1, south, 0.6, south + 0.4)
        truth = abs(Geod(ellps="GRS80").geometry_area_perimeter(shapely.segmentize(outline, 0.001))[0])
        assert territory(outline).area == pytest.approx(truth, rel=1e-4)


def test_there_and_back_again() -> None:
    plane = coverage.to_plane(box(0, 0, 3, 3), 44.6)
    back = coverage.to_degrees(plane, 44.6)
    assert shapely.hausdorff_distance(back, box(0, 0, 3, 3)) < 1e-8, "a millimetre"


def test_no_scene_and_no_area() -> None:
    found = cover(PLACE, [], np.array([], dtype=object))
    assert (found.share, found.chosen, found.best, len(found.holes)) == (0, [], None, 1)
    beside = cover(PLACE, [Candidate(0)], np.array([box(20, 20, 30, 30)], dtype=object))
    assert (beside.share, beside.chosen) == (0, [])
    with pytest.raises(ValueError, match="no area"):
        territory(shapely.LineString([(0, 0), (1, 1)]))


def test_many_scenes_of_many_parts_are_chosen_from() -> None:
    islands = shapely.MultiPolygon([box(0, 0, 4, 10), box(6, 0, 10, 10)])
    place = territory(islands)
    rng = np.random.default_rng(1)
    footprints = np.array([box(*(corner := rng.integers(-2, 9, 2)), *(corner + 3)) for _ in range(120)], dtype=object)
    found = cover(place, [Candidate(n) for n in range(120)], footprints)
    pieces = clips(place, footprints)
    lost = shapely.union_all(pieces).area - shapely.union_all([pieces[n] for n in found.chosen]).area
    assert lost <= SLIVER * place.area and 0 < len(found.chosen) < 30
