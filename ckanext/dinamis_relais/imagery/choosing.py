"""How much of a territory scenes cover, with which few of them, and where the holes are. Pure.

Two thousand scenes may lie over a département in a year. So that only some of them are measured exactly, a grid of
points (:mod:`raster`) tells which of them to measure; what is answered never rests on the grid alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from ckanext.dinamis_relais.imagery import raster, setcover
from ckanext.dinamis_relais.imagery.coverage import Territory, clipped, projected, surface

#: Share of the territory under which a part without image is a sliver between two outlines, not a hole.
SLIVER = 0.001
#: Share of a territory that a scene must cover to be named the newest of it.
SEEN = 0.01
#: Share of the territory that is noise of the arithmetic.
NOISE = 1e-7
#: More candidates than this are chosen from step by step only, not by trying what is best of all.
EXACT_UP_TO = 40
#: Cloud cover, in percent, that a scene without one is ranked by: neither praised nor blamed.
UNKNOWN_CLOUD = 50.0
#: Points by which an estimate from the grid may be wrong: those that are so near to the best are measured.
MARGIN = 12
#: Candidates that are measured at once at most, those of the best estimates.
SHORT = 16


@dataclass(frozen=True)
class Candidate:
    """A scene that may be chosen.

    :ivar key: what names it
    :ivar cloud: percent of the scene, None when unknown
    :ivar moment: seconds since 1970
    """

    key: Any
    cloud: float | None = None
    moment: float = 0.0

    @property
    def weight(self) -> float:
        """How cloudy it counts, 0 to 1."""
        return (UNKNOWN_CLOUD if self.cloud is None else self.cloud) / 100


@dataclass(frozen=True)
class Hole:
    """A part of the territory without image.

    :ivar shape: polygon in the territory's plane
    :ivar direction: ``n``, ``ne``, … from the middle of the territory; ``c`` in its middle
    """

    shape: Any
    direction: str

    @property
    def area(self) -> float:
        """Square metres."""
        return self.shape.area


@dataclass(frozen=True)
class Covered:
    """What scenes cover of a territory.

    :ivar share: covered part, 0 to 1
    :ivar chosen: indices of the fewest candidates that cover it, the one that brings most first
    :ivar shares: of each chosen one, the part of the territory that it covers by itself, 0 to 1
    :ivar best: index of the single scene to take if one only may be taken, None without any
    :ivar latest: index of the newest that shows a part of it worth the name (:data:`SEEN`), None without any
    :ivar touching: how many candidates cover any of it
    :ivar holes: the largest first
    """

    share: float
    chosen: list[int] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    best: int | None = None
    latest: int | None = None
    touching: int = 0
    holes: list[Hole] = field(default_factory=list)


class Pieces:
    """What candidates cover of a territory, each measured when it is asked for and not before.

    :ivar shapes: footprints in the territory's plane, not clipped
    :ivar held: of each, the points of the grid that it holds, as :func:`raster.inside` gives them
    :ivar counts: how many these are
    :ivar usable: those that cover any of the territory, in order
    """

    def __init__(self, place: Territory, candidates: Sequence[Candidate], footprints: Any):
        self.place, self.candidates = place, candidates
        self.shapes = projected(place, footprints)
        self.held = raster.inside(place.shape, self.shapes)
        self.counts = self.held.sum(axis=1)
        self._clips: dict[int, Any] = {}
        shapely.prepare(place.shape)
        possible = (shapely.area(self.shapes) > NOISE * place.area) & shapely.intersects(place.shape, self.shapes)
        unsure = np.flatnonzero(possible & (self.counts == 0))
        covered = shapely.area(shapely.intersection(self.shapes[unsure], place.shape)) / place.area
        possible[unsure[covered <= NOISE]] = False
        self.usable = np.flatnonzero(possible)

    def clip(self, number: int) -> Any:
        """What a candidate covers of the territory."""
        if number not in self._clips:
            self._clips[number] = clipped(self.place, self.shapes[number : number + 1])[0]
        return self._clips[number]

    def share(self, number: int) -> float:
        """The same as a share of the territory, 0 to 1."""
        return min(1.0, self.clip(number).area / self.place.area)

    def gain(self, numbers: Any, left: Any) -> Any:
        """What candidates cover of a part of the territory, as shares of the territory.

        :param numbers: array or one
        """
        return shapely.area(shapely.intersection(self.shapes[numbers], left)) / self.place.area

    def union(self, numbers: Iterable[int]) -> float:
        """Square metres that candidates cover together."""
        return shapely.union_all([self.clip(n) for n in numbers]).area

    def short(self, estimates: Any) -> list[int]:
        """The usable ones whose estimates are next to the largest; of equal ones the clearest, then the newest.

        :param estimates: points of the grid, for each of :attr:`usable`
        """
        near = np.flatnonzero(estimates >= estimates.max(initial=0.0) - MARGIN)
        some = [(-estimates[at], *self.order(int(self.usable[at]))) for at in near]
        return [one[-1] for one in heapq.nsmallest(SHORT, some)]

    def order(self, number: int) -> tuple[float, float, int]:
        """Among candidates that cover as much: the clearer first, then the newer."""
        one = self.candidates[number]
        return one.weight, -one.moment, number

    def within(self, number: int, other: int) -> bool:
        """Whether another candidate covers all that one covers; the grid has not excluded it."""
        if shapely.covers(self.shapes[other], self.shapes[number]):
            return True
        return shapely.covers(self.clip(other), self.clip(number))


def cover(place: Territory, candidates: Sequence[Candidate], footprints: Any, sliver: float = SLIVER) -> Covered:
    """What scenes cover of a territory together, by the fewest of them.

    The chosen ones cover what all cover, but for less than ``sliver`` of the territory; without any one of them, more
    than that would be missing. Where as few would do in several ways, the less cloudy are taken.

    :param footprints: of the candidates, in their order (longitude, latitude)
    :param sliver: share of the territory that does not matter, 0 to 1
    """
    pieces = Pieces(place, candidates, footprints) if len(candidates) else None
    if pieces is None or not len(pieces.usable):
        return Covered(0.0, holes=[Hole(place.shape, "c")])
    order, lost, left = _greedy(pieces, sliver * place.area)
    whole = place.area - left.area
    chosen = _needed(pieces, order, lost, sliver)
    if len(chosen) > 1:
        chosen = _fewest(pieces, chosen, whole, sliver)
    return Covered(
        min(1.0, max(0.0, whole / place.area)), chosen, [pieces.share(n) for n in chosen], _best(pieces),
        _latest(pieces), len(pieces.usable), _holes(place, left, sliver),
    )  # fmt: skip


def _best(pieces: Pieces) -> int:
    """The one that covers most of the territory without clouds."""
    clear = np.array([1 - pieces.candidates[int(n)].weight for n in pieces.usable])
    short = pieces.short(pieces.counts[pieces.usable] * clear)
    return max(short, key=lambda n: (
        pieces.share(n) * (1 - pieces.candidates[n].weight), pieces.candidates[n].moment
    ))  # fmt: skip


def _latest(pieces: Pieces) -> int:
    """The newest one; not one that shows a corner only, which would be no answer, unless there is no other."""
    newest = sorted((int(n) for n in pieces.usable), key=lambda n: -pieces.candidates[n].moment)
    surely = SEEN * pieces.held.shape[1] + MARGIN
    seen = (n for n in newest if pieces.counts[n] > surely or pieces.share(n) >= SEEN)
    return next(seen, newest[0])


def _greedy(pieces: Pieces, ignored: float) -> tuple[list[int], float, Any]:
    """Candidates in the order in which each adds most; what they leave to others, in square metres; what none covers.

    As long as the grid tells them apart only those of the best estimates are measured, then all that are left.

    :param ignored: square metres that may be left to others
    """
    area, left, order = pieces.place.area, pieces.place.shape, []
    held, missing = pieces.held[pieces.usable], np.ones(pieces.held.shape[1], dtype=np.float32)
    while left.area > NOISE * area:
        estimates = held @ missing
        if estimates.max(initial=0.0) <= MARGIN:
            break
        short = pieces.short(estimates)
        gains = dict(zip(short, pieces.gain(short, left), strict=True))
        number = min(short, key=lambda n: (-round(gains[n], 3), *pieces.order(n)))
        if gains[number] < 0.5 * MARGIN / len(missing):  # points in a row along a narrow strip: no estimate
            break
        order.append(number)
        left = surface(shapely.difference(left, pieces.shapes[number]))
        missing *= 1 - pieces.held[number]
    return _rest(pieces, order, left, ignored)


def _rest(pieces: Pieces, order: list[int], left: Any, ignored: float) -> tuple[list[int], float, Any]:
    """The same for a small part that is left.

    What a scene adds only shrinks as others are taken, so one whose old figure is below another's new one need not be
    looked at again.

    :param ignored: square metres for which no more scenes are taken
    """
    shapely.prepare(left)
    near = pieces.usable[shapely.intersects(left, pieces.shapes[pieces.usable])]

    def rank(number: int, gain: float) -> tuple[float, float, float, int]:
        return (-round(gain, 3), *pieces.order(number))

    gains = pieces.gain(near, left)
    queue = [rank(int(n), gain) for n, gain in zip(near, gains, strict=True) if gain > NOISE]
    heapq.heapify(queue)
    fresh = {one[-1] for one in queue}
    while queue and left.area > ignored:
        number = heapq.heappop(queue)[-1]
        if number not in fresh:
            gain = float(pieces.gain(number, left))
            if gain > NOISE:
                heapq.heappush(queue, rank(number, gain))
                fresh.add(number)
            continue
        order.append(number)
        left = surface(shapely.difference(left, pieces.shapes[number]))
        fresh = set()
    bare = left
    for *_rank, number in queue:
        if bare.area <= NOISE * pieces.place.area:
            break
        bare = surface(shapely.difference(bare, pieces.shapes[number]))
    return order, left.area - bare.area, bare


def _needed(pieces: Pieces, order: list[int], lost: float, sliver: float) -> list[int]:
    """Without those that the others make needless, the last taken looked at first.

    :param lost: square metres that they leave out already of what all candidates cover
    """
    kept = list(order)
    for number in reversed(order):
        others = [pieces.shapes[n] for n in kept if n != number]
        own = shapely.difference(pieces.clip(number), shapely.union_all(others)).area if others else np.inf
        if lost + own <= sliver * pieces.place.area:
            kept.remove(number)
            lost += own
    return kept


def _fewest(pieces: Pieces, chosen: list[int], whole: float, sliver: float) -> list[int]:
    """A smaller choice, or a clearer one as small, when there is one; tried for few candidates only.

    :param whole: square metres that all candidates cover
    """
    able = _undominated(pieces)
    able += [n for n in chosen if n not in able]
    if len(able) > EXACT_UP_TO:
        return chosen
    weights = [pieces.candidates[n].weight for n in able]
    atoms = _atoms([pieces.clip(n) for n in able], sliver * pieces.place.area)
    sets = [sum(1 << bit for bit, holders in enumerate(atoms) if at in holders) for at in range(len(able))]
    known = [able.index(n) for n in chosen]
    known += [n for n in range(len(able)) if n not in known] if not _full(sets, known) else []
    found = [able[at] for at in setcover.exact(sets, weights, known)]
    found = sorted(found, key=lambda n: -pieces.share(n))
    found = _needed(pieces, found, whole - pieces.union(found), sliver)
    lost = whole - pieces.union(found)
    cost = [(len(one), sum(pieces.candidates[n].weight for n in one)) for one in (found, chosen)]
    return found if lost <= sliver * pieces.place.area and cost[0] < cost[1] else chosen


def _undominated(pieces: Pieces) -> list[int]:
    """Without those that another, no cloudier one covers whole; some more than :data:`EXACT_UP_TO` at most."""
    kept: list[int] = []
    for number in sorted(map(int, pieces.usable), key=lambda n: (-pieces.counts[n], *pieces.order(n))):
        if len(kept) > EXACT_UP_TO:
            break
        # What a footprint covers, it covers on the grid too.
        possible = pieces.held[kept] @ pieces.held[number] >= pieces.counts[number]
        weight = pieces.candidates[number].weight
        lighter = (n for n, one in zip(kept, possible, strict=True) if one and pieces.candidates[n].weight <= weight)
        if not any(pieces.within(number, n) for n in lighter):
            kept.append(number)
            shapely.prepare([pieces.shapes[number], pieces.clip(number)])
    return kept


def _full(sets: list[int], known: list[int]) -> bool:
    whole = some = 0
    for at, one in enumerate(sets):
        whole |= one
        some |= one if at in known else 0
    return whole == some


def _atoms(pieces: list[Any], ignored: float) -> list[set[int]]:
    """The smallest parts that the pieces cut one another into: which pieces hold each.

    :param ignored: square metres of small parts, in all, that are left out
    """
    lines = shapely.union_all(shapely.boundary(np.asarray(pieces, dtype=object)))
    parts = shapely.get_parts(shapely.polygonize([lines]))
    parts = sorted(parts, key=lambda part: part.area)
    while parts and parts[0].area <= ignored:
        ignored -= parts.pop(0).area
    if not parts:
        return []
    points = shapely.point_on_surface(np.asarray(parts, dtype=object))
    holders: list[set[int]] = [set() for _ in parts]
    for piece, part in shapely.STRtree(points).query(np.asarray(pieces, dtype=object), "intersects").T:
        holders[part].add(int(piece))
    return [one for one in holders if one]


def _holes(place: Territory, left: Any, sliver: float) -> list[Hole]:
    parts = [part for part in shapely.get_parts(left) if part.area > sliver * place.area]
    middle, size = place.shape.centroid, place.area**0.5
    return [Hole(part, _direction(middle, part, size)) for part in sorted(parts, key=lambda part: -part.area)]


def _direction(middle: Any, part: Any, size: float) -> str:
    """Where a part lies from the middle, among eight directions; near the middle, ``c``."""
    point = part.centroid
    east, north = point.x - middle.x, point.y - middle.y
    if (east**2 + north**2) ** 0.5 < 0.1 * size:
        return "c"
    turn = round(float(np.degrees(np.arctan2(east, north))) / 45) % 8
    return ("n", "ne", "e", "se", "s", "sw", "w", "nw")[turn]
