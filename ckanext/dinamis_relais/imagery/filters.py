"""The explorer's filters: from a page's address to a search and back. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Filters:
    """What a visitor asked for, each as it stands in the address; empty means any.

    :ivar place: name, code or label of a territory
    :ivar bbox: ``west,south,east,north`` in degrees, a part of the map
    :ivar area: polygons of a file, as :func:`outlines` reads them
    :ivar start: first day, ``YYYY-MM-DD``
    :ivar end: last day, ``YYYY-MM-DD``
    :ivar cloud: largest cloud cover in percent
    """

    place: str = ""
    bbox: str = ""
    area: str = ""
    start: str = ""
    end: str = ""
    cloud: str = ""
    platform: str = ""
    collection: str = ""

    @property
    def active(self) -> list[str]:
        """Names of the filters that are set; the period is one, called ``period``."""
        names = [one.name for one in fields(self) if getattr(self, one.name)]
        others = [name for name in names if name not in ("start", "end")]
        return [*others, "period"] if len(others) < len(names) else others

    def without(self, name: str) -> Filters:
        """The same with one filter taken off."""
        if name == "period":
            return replace(self, start="", end="")
        return replace(self, **{name: ""})

    def of_year(self, year: int) -> Filters:
        """The same for one year."""
        return replace(self, start=f"{year}-01-01", end=f"{year}-12-31")

    @property
    def year(self) -> int | None:
        """The year that the period is, when it is exactly one."""
        if self.start[4:] == "-01-01" and self.end[4:] == "-12-31" and self.start[:4] == self.end[:4]:
            return int(self.start[:4])
        return None

    @property
    def watched(self) -> str:
        """The part of the map or the area as alerts name it: a box to five decimals, a metre; empty for none."""
        return ",".join(f"{round(float(value), 5)}" for value in self.bbox.split(",")) if self.bbox else self.area

    @property
    def outline(self) -> dict[str, Any] | None:
        """The area's polygons as GeoJSON; None for none."""
        return {"type": "MultiPolygon", "coordinates": [[ring] for ring in outlines(self.area)]} if self.area else None

    def params(self) -> dict[str, str]:
        """As they stand in the address."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {ADDRESS.get(name, name): value for name, value in given.items() if value}

    def query(self, **more: str) -> str:
        """The address's query, with a question mark; empty when nothing is asked."""
        asked = {**self.params(), **more}
        return f"?{urlencode(asked)}" if asked else ""

    def body(self, outline: dict[str, Any] | None) -> dict[str, Any]:
        """The STAC search they stand for.

        :param outline: GeoJSON geometry of the place, when it was found
        """
        body: dict[str, Any] = {}
        if outline:
            body["intersects"] = outline
        elif self.area:
            body["intersects"] = self.outline
        elif self.bbox:
            body["bbox"] = [float(value) for value in self.bbox.split(",")]
        if self.start or self.end:
            first = f"{self.start}T00:00:00Z" if self.start else ".."
            last = f"{self.end}T23:59:59.999999Z" if self.end else ".."
            body["datetime"] = f"{first}/{last}"
        conditions: dict[str, Any] = {}
        if self.cloud:
            conditions["eo:cloud_cover"] = {"lte": float(self.cloud)}
        if self.platform:
            conditions["platform"] = {"eq": self.platform}
        if conditions:
            body["query"] = conditions
        if self.collection:
            body["collections"] = [self.collection]
        return body


#: ``from`` is a word of Python's, so its field has another name.
ADDRESS = {"start": "from", "end": "to"}


def read(args: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """Filters of a page's address; one that cannot be understood is left out and named.

    :returns: the filters, and the names of those left out
    """
    given = {
        one.name: args.get(ADDRESS.get(one.name, one.name), "").strip()[: _LONGEST.get(one.name, 200)]
        for one in fields(Filters)
    }
    wrong = [name for name, check in _CHECKS.items() if given[name] and not check(given[name])]
    for name in wrong:
        given[name] = ""
    if given["place"] or given["bbox"]:
        given["area"] = ""  # who names a place or moves the map looks elsewhere than in their file
    if given["start"] and given["end"] and given["start"] > given["end"]:
        given["start"], given["end"] = given["end"], given["start"]
    return Filters(**given), wrong


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _is_percentage(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def _is_box(text: str) -> bool:
    try:
        west, south, east, north = (float(value) for value in text.split(","))
    except ValueError:
        return False
    return -180 <= west < east <= 180 and -90 <= south < north <= 90


def outlines(text: str) -> list[list[list[float]]]:
    """The rings of an area as it stands in an address: ``_`` between numbers, ``~`` between rings; degrees.

    >>> outlines("-0.6_44.7_-0.5_44.7_-0.5_44.8")
    [[[-0.6, 44.7], [-0.5, 44.7], [-0.5, 44.8], [-0.6, 44.7]]]

    :raises ValueError: it is no such text, or no place on Earth
    """
    found = []
    for part in text.split("~"):
        numbers = [float(value) for value in part.split("_")]
        ring = [list(point) for point in zip(numbers[::2], numbers[1::2], strict=True)]
        if len(ring) < 3 or not all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring):
            raise ValueError(part)
        found.append([*ring, ring[0]])
    return found


def _is_area(text: str) -> bool:
    try:
        return bool(outlines(text))
    except ValueError:
        return False


_CHECKS = {"start": _is_day, "end": _is_day, "cloud": _is_percentage, "bbox": _is_box, "area": _is_area}
#: Letters of a filter that are more than of the others: an address stays under the 8 kB that every server takes.
_LONGEST = {"area": 5_000}
