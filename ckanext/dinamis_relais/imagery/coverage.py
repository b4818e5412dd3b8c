"""How much of a territory scenes cover, with which few of them, and where the holes are. Pure.

Areas are measured in an equal-area projection: Lambert's cylinder that touches at the territory's own latitude
(``+proj=cea``). Meridians and parallels, and so the sides of most footprints, stay straight in it; shapes are true
near the territory; and a square kilometre is one anywhere, overseas too.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import shapely
from pyproj import Transformer

from ckanext.dinamis_relais.imagery import setcover

#: Share of the territory under which a part without image is a sliver between two outlines, not a hole.
SLIVER = 0.001
#: Share of a territory that a scene must cover to be named the newest of it.
SEEN = 0.01
#: Share of the territory that is noise of the arithmetic.
NOISE = 1e-7
#: Degrees between two points of a projected side: on longer ones the curve would show.
STEP = 0.1
#: More candidates than this are chosen from step by step only, not by trying what is best of all.
EXACT_UP_TO = 40
#: Cloud cover, in percent, that a scene without one is ranked by: neither praised nor blamed.
UNKNOWN_CLOUD = 50.0


@dataclass(frozen=True)
class Territory:
    """A territory's outline in its own equal-area plane, in metres.

    :ivar latitude: of the plane, in degrees
    :ivar shape: valid polygon or multipolygon
    """

    latitude: float
    shape: Any

    @property
    def area(self) -> float:
        """Square metres."""
        return self.shape.area


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


@lru_cache(maxsize=256)
def _transformer(latitude: float) -> Transformer:
    plane = f"+proj=cea +lat_ts={latitude} +lon_0=0 +ellps=GRS80 +units=m"
    return Transformer.from_crs("EPSG:4326", plane, always_xy=True)


def to_plane(geometries: Any, latitude: float) -> Any:
    """Geometries (longitude, latitude in degrees) in the equal-area plane of a latitude, in metres.

    :param geometries: one, or an array of them
    """
    project = _transformer(latitude).transform

    def there(points: Any) -> Any:
        return np.column_stack(project(points[:, 0], points[:, 1]))

    return shapely.transform(shapely.segmentize(shapely.force_2d(geometries), STEP), there)


def to_degrees(geometry: Any, latitude: float) -> Any:
    """Back from :func:`to_plane`."""
    project = _transformer(latitude).transform

    def back(points: Any) -> Any:
        return np.column_stack(project(points[:, 0], points[:, 1], direction="INVERSE"))

    return shapely.transform(geometry, back)


def rounded(geometry: Any) -> dict[str, Any]:
    """The polygons of a geometry in degrees as GeoJSON, to some 10 cm."""
    return orjson.loads(shapely.to_geojson(surface(shapely.transform(geometry, lambda points: np.round(points, 6)))))


def territory(outline: Any) -> Territory:
    """An outline made ready: projected, repaired, freed of detail a thousand times finer than the territory is wide.

    :param outline: shapely polygon or multipolygon, longitude and latitude in degrees
    :raises ValueError: it has no area
    """
    valid = surface(outline)
    if not valid.area:
        raise ValueError("The outline of the territory has no area.")
    latitude = round(float(shapely.centroid(valid).y), 1)
    shape = surface(to_plane(valid, latitude))
    return Territory(latitude, surface(shape.simplify(1e-4 * shape.area**0.5)))


def surface(shape: Any) -> Any:
    """The polygons of a geometry, valid; an empty polygon when it has none."""
    valid = shape if shape.is_valid else shapely.make_valid(shape)
    if valid.geom_type in ("Polygon", "MultiPolygon"):
        return valid
    parts = [part for part in shapely.get_parts(valid) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def clips(place: Territory, footprints: Any) -> list[Any]:
    """What each footprint covers of a territory, in its plane.

    :param footprints: array of shapely geometries (longitude, latitude)
    """
    if not len(footprints):
        return []
    # Repaired before they are projected (a ring of one point cannot be) and after (rounding may touch itself).
    valid = np.array([surface(one) for one in footprints], dtype=object)
    shapes = [surface(one) for one in to_plane(valid, place.latitude)]
    shapely.prepare(place.shape)
    found = []
    for one in shapes:
        if shapely.contains_properly(place.shape, one):
            found.append(one)
        elif shapely.covers(one, place.shape):
            found.append(place.shape)
        else:
            found.append(surface(shapely.intersection(one, place.shape)))
    return found


def cover(place: Territory, candidates: Sequence[Candidate], footprints: Any, sliver: float = SLIVER) -> Covered:
    """What scenes cover of a territory together, by the fewest of them.

    The chosen ones cover what all cover, but for less than ``sliver`` of the territory; without any one of them, more
    than that would be missing. Where as few would do in several ways, the less cloudy are taken.

    :param footprints: of the candidates, in their order (longitude, latitude)
    :param sliver: share of the territory that does not matter, 0 to 1
    """
    pieces = clips(place, footprints)
    areas = [piece.area / place.area for piece in pieces]
    usable = [n for n, area in enumerate(areas) if area > NOISE]
    if not usable:
        return Covered(0.0, holes=[Hole(place.shape, "c")])
    order, left = _greedy(place, candidates, pieces, areas, usable)
    chosen = _needed(place, pieces, order, place.area - left.area, sliver)
    if len(chosen) > 1:
        chosen = _fewest(place, candidates, pieces, areas, usable, chosen, place.area - left.area, sliver)
    best = max(usable, key=lambda n: (areas[n] * (1 - candidates[n].weight), candidates[n].moment))
    # A newest image that shows a corner only would be no answer, unless there is no other.
    seen = [n for n in usable if areas[n] >= SEEN] or usable
    return Covered(
        min(1.0, max(0.0, 1 - left.area / place.area)), chosen, [min(1.0, areas[n]) for n in chosen], best,
        max(seen, key=lambda n: candidates[n].moment), len(usable), _holes(place, left, sliver),
    )  # fmt: skip


def _greedy(place: Territory, candidates: Any, pieces: Any, areas: Any, usable: list[int]) -> tuple[list[int], Any]:
    """Candidates in the order in which each adds most, and what none covers.

    What a scene adds only shrinks as others are taken, so one whose old figure is below another's new one need not be
    looked at again.
    """

    def rank(number: int, gain: float) -> tuple[float, float, float, int]:
        return (-round(gain, 3), candidates[number].weight, -candidates[number].moment, number)

    queue = [rank(n, areas[n]) for n in usable]
    heapq.heapify(queue)
    left, order, fresh = place.shape, [], set(usable)
    while queue and left.area > NOISE * place.area:
        number = heapq.heappop(queue)[3]
        if number not in fresh:
            gain = shapely.intersection(pieces[number], left).area / place.area
            if gain > NOISE:
                heapq.heappush(queue, rank(number, gain))
                fresh.add(number)
            continue
        order.append(number)
        left = surface(shapely.difference(left, pieces[number]))
        fresh = set()
    return order, left


def _needed(place: Territory, pieces: Any, order: list[int], whole: float, sliver: float) -> list[int]:
    """Without those that the others make needless, the last taken looked at first."""
    kept = list(order)
    for number in reversed(order):
        others = [pieces[n] for n in kept if n != number]
        if others and whole - shapely.union_all(others).area <= sliver * place.area:
            kept.remove(number)
    return kept


def _fewest(
    place: Territory, candidates: Any, pieces: Any, areas: Any, usable: list[int], chosen: list[int], whole: float,
    sliver: float,
) -> list[int]:  # fmt: skip
    """A smaller choice, or a clearer one as small, when there is one; tried for few candidates only."""
    able = _undominated(candidates, pieces, areas, usable)
    able += [n for n in chosen if n not in able]
    if len(able) > EXACT_UP_TO:
        return chosen
    atoms = _atoms([pieces[n] for n in able], sliver * place.area)
    sets = [sum(1 << bit for bit, holders in enumerate(atoms) if at in holders) for at in range(len(able))]
    known = [able.index(n) for n in chosen]
    known += [n for n in range(len(able)) if n not in known] if not _full(sets, known) else []
    found = [able[at] for at in setcover.exact(sets, [candidates[n].weight for n in able], known)]
    found = _needed(place, pieces, sorted(found, key=lambda n: -areas[n]), whole, sliver)
    lost = whole - shapely.union_all([pieces[n] for n in found]).area
    cost = [(len(one), sum(candidates[n].weight for n in one)) for one in (found, chosen)]
    return found if lost <= sliver * place.area and cost[0] < cost[1] else chosen


def _full(sets: list[int], known: list[int]) -> bool:
    whole = some = 0
    for at, one in enumerate(sets):
        whole |= one
        some |= one if at in known else 0
    return whole == some


def _undominated(candidates: Any, pieces: Any, areas: Any, usable: list[int]) -> list[int]:
    """Without those that another, no cloudier one covers whole."""
    ordered = sorted(usable, key=lambda n: (-areas[n], candidates[n].weight, -candidates[n].moment))
    kept: list[int] = []
    for number in ordered:
        if len(kept) > EXACT_UP_TO:
            break
        lighter = (n for n in kept if candidates[n].weight <= candidates[number].weight)
        if not any(shapely.covers(pieces[n], pieces[number]) for n in lighter):
            kept.append(number)
    return kept


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
