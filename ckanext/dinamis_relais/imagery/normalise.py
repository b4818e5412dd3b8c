"""A STAC item of any version becomes a STAC 1.1 item and the columns of the scene store. Pure.

What is missing is computed (``bbox``), what is crooked is repaired with a note, what cannot be used is
reported: nothing is dropped in silence, and nothing is invented (an unknown cloud cover stays unknown).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import urljoin

import numpy as np
import orjson
import shapely
from pystac.serialization import identify_stac_object, migrate_to_latest
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

STAC_VERSION = "1.1.0"
#: Raised when the same source item would now be stored otherwise: all scenes are then written again.
NORMALISER_VERSION = "1"
#: Bytes of JSON. A real SPOT item has 5,000; one of megabytes is a mistake or an attack.
MAX_ITEM_BYTES = 2_000_000

#: Links that say where an item sits in the source's tree. In our STAC API it sits elsewhere.
NAVIGATION = frozenset({"self", "root", "parent", "collection", "next", "prev", "previous", "items", "item"})

_SPOT = re.compile(r"SPOT[-_ ]?([1-9])(?!\d)", re.IGNORECASE)
_PLEIADES = re.compile(r"(?:PHR|PLEIADES[-_ ]?)(1[AB])", re.IGNORECASE)
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*([Zz]|[+-]\d\d:?\d\d)?)?$")


@dataclass(frozen=True)
class Problem:
    """Something about an item that a person should know.

    :ivar item_id: the item, None when not even that is known
    :ivar field: where: ``geometry``, ``properties.datetime`` …
    :ivar problem: what is wrong
    :ivar remedy: what was done about it, or what the source's keeper can do
    :ivar fatal: True when the item was not taken
    """

    item_id: str | None
    field: str
    problem: str
    remedy: str
    fatal: bool = True

    def __str__(self) -> str:
        """One line for a person."""
        return f"Item {self.item_id or '(no id)'}, {self.field}: {self.problem} {self.remedy}"


@dataclass(frozen=True)
class Scene:
    """One row of the scene store.

    :ivar moment: acquisition, or its start, in UTC; orders every list
    :ivar end: end of the acquisition in UTC, equal to ``moment`` for an instant
    :ivar cloud: percent of the whole scene, None when unknown
    :ivar gsd: metres
    :ivar wkb: footprint as EWKB hexadecimal, longitude and latitude, EPSG:4326
    :ivar item: the STAC 1.1 item as JSON text, ``links`` last
    :ivar members: names of its properties and the Python types of their values
    """

    collection: str
    id: str
    moment: dt.datetime
    end: dt.datetime
    cloud: float | None
    platform: str | None
    gsd: float | None
    wkb: str
    item: str
    members: tuple[tuple[str, ...], tuple[type, ...]]


@dataclass
class Normalised:
    """The scene, or None, and all that was found on the way."""

    scene: Scene | None
    problems: list[Problem] = field(default_factory=list)


class _Unusable(Exception):
    """Stops the work on one item."""

    def __init__(self, where: str, problem: str, remedy: str):
        self.where, self.problem, self.remedy = where, problem, remedy
        super().__init__(problem)


class _Notes(list[Problem]):
    """Repairs of one item."""

    def __init__(self, item_id: str):
        super().__init__()
        self.item_id = item_id

    def add(self, where: str, problem: str, remedy: str) -> None:
        self.append(Problem(self.item_id, where, problem, remedy, fatal=False))


@dataclass(frozen=True)
class _Shape:
    """A footprint that was read together with others and needs no repair."""

    geometry: BaseGeometry
    bounds: list[float]
    wkb: str


def normalise_many(raws: list[tuple[Any, str]], base_url: str = "") -> list[Normalised]:
    """Make scenes of many items at once, which is faster: their footprints are read together.

    :param raws: (item, collection); the items are used up
    :param base_url: address of the page, against which relative links are resolved
    """
    shapes = _shapes([raw for raw, _ in raws])
    return [
        normalise(raw, collection, base_url, shape, keep=False)
        for (raw, collection), shape in zip(raws, shapes, strict=True)
    ]


def _shapes(raws: list[Any]) -> list[_Shape | None]:
    """The footprints that are simply good; None where a closer look must say what is wrong."""
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
    return [_Shape(found[n], boxes[n], wkb[n]) if good[n] else None for n in range(len(raws))]


def normalise(
    raw: Any, collection: str, base_url: str = "", shape: _Shape | None = None, keep: bool = True
) -> Normalised:
    """Make a scene of an item as a source gave it.

    :param raw: a STAC item of version 0.9 to 1.1, decoded
    :param collection: the collection in whose listing it was found
    :param base_url: address of the page, against which relative links are resolved
    :param shape: its footprint, when it was read already and is good
    :param keep: True to leave ``raw`` as it is
    :returns: the scene (None when unusable) and every problem and repair
    """
    item_id = raw.get("id") if isinstance(raw, dict) else None
    notes = _Notes(str(item_id) if item_id not in (None, "") else "")
    try:
        return Normalised(_scene(raw, collection, base_url, notes, shape, keep), list(notes))
    except _Unusable as error:
        fatal = Problem(notes.item_id or None, error.where, error.problem, error.remedy)
        return Normalised(None, [*notes, fatal])


def _scene(  # the stages of one item, in a row
    raw: Any, collection: str, base_url: str, notes: _Notes, shape: _Shape | None, keep: bool
) -> Scene:
    if not isinstance(raw, dict) or raw.get("type", "Feature") != "Feature":
        raise _Unusable("type", "It is not a GeoJSON Feature.", "Check what the source lists here.")
    if not notes.item_id:
        raise _Unusable("id", "It has no id.", "Give it one at the source.")
    item = _migrated(raw, notes, keep)
    properties = item["properties"]
    if item.get("collection") not in (None, collection):
        notes.add("collection", f"It names '{item['collection']}'.", f"Kept in '{collection}'.")
    item["id"], item["collection"], item["type"] = notes.item_id, collection, "Feature"
    shape = shape or _geometry(item, notes)
    _bbox(item, shape.bounds, notes)
    (moment, end), cloud = _moments(properties, notes), _cloud(properties, notes)
    _projection(item)
    _addresses(item, base_url)
    text = _serialise(item)
    return Scene(
        collection=collection, id=notes.item_id, moment=moment, end=end, cloud=cloud, platform=platform_of(item),
        gsd=_number(properties.get("gsd")), wkb=shape.wkb, item=text,
        members=(tuple(properties), tuple(map(type, properties.values()))),
    )  # fmt: skip


def _migrated(raw: dict[str, Any], notes: _Notes, keep: bool) -> dict[str, Any]:
    """In STAC 1.1, a deep copy to keep ``raw``. pystac reads versions: it knows what each of them renamed."""
    try:
        item = orjson.loads(orjson.dumps(raw)) if keep else raw
    except (orjson.JSONEncodeError, orjson.JSONDecodeError) as error:
        raise _Unusable("item", f"It is no valid JSON ({error}).", "Correct it at the source.") from error
    item.setdefault("type", "Feature")
    item["properties"] = _dict(item.get("properties"))
    item["assets"], item["links"] = _dict(item.get("assets")), _links(item.get("links"))
    extensions = item.get("stac_extensions")
    item["stac_extensions"] = (
        [name for name in extensions if isinstance(name, str)] if isinstance(extensions, list) else []
    )
    if item.get("stac_version") != STAC_VERSION:
        if not isinstance(item.get("stac_version"), str):
            notes.add("stac_version", "It names no STAC version.", "Read as STAC 1.0.0.")
            item["stac_version"] = "1.0.0"
        try:
            item = migrate_to_latest(item, identify_stac_object(item))
        except Exception as error:  # pystac raises what a broken item makes it raise
            raise _Unusable(
                "stac_version", f"STAC {raw.get('stac_version')} could not be read ({error}).",
                "Publish it as STAC 1.0.0 or 1.1.0.",
            ) from error  # fmt: skip
    item["stac_version"] = STAC_VERSION
    return item


def _geometry(item: dict[str, Any], notes: _Notes) -> _Shape:
    value = item.get("geometry")
    if not isinstance(value, dict):
        raise _Unusable("geometry", "It has no geometry.", "Add its footprint (GeoJSON) at the source.")
    try:
        geometry = shapely.from_geojson(orjson.dumps(value))
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise _Unusable("geometry", f"It is no valid GeoJSON ({error}).", "Correct it.") from error
    if geometry is None or geometry.is_empty:
        raise _Unusable("geometry", "It is empty.", "Add its footprint (GeoJSON) at the source.")
    bounds = geometry.bounds
    if not all(math.isfinite(value) for value in bounds):
        raise _Unusable("geometry", "A coordinate is not a number.", "Correct the footprint.")
    if bounds[0] < -180 or bounds[2] > 180 or bounds[1] < -90 or bounds[3] > 90:
        raise _Unusable(
            "geometry", f"It reaches {max(map(abs, bounds)):g}: not longitude and latitude in degrees.",
            "Give the footprint in EPSG:4326, longitude first.",
        )  # fmt: skip
    if not geometry.is_valid:
        why = explain_validity(geometry)
        geometry = shapely.make_valid(geometry)
        item["geometry"] = orjson.loads(shapely.to_geojson(geometry))
        notes.add("geometry", f"It is not a valid polygon ({why}).", "Repaired.")
    wkb = shapely.to_wkb(shapely.set_srid(shapely.force_2d(geometry), 4326), hex=True, include_srid=True)
    return _Shape(geometry, list(geometry.bounds), wkb)


def _bbox(item: dict[str, Any], bounds: list[float], notes: _Notes) -> None:
    given = item.get("bbox")
    numbers = [_number(value) for value in given] if isinstance(given, list) else []
    if len(numbers) in (4, 6) and None not in numbers:
        return
    if given is not None:
        notes.add("bbox", "It is not a list of four or six numbers.", "Computed from the geometry.")
    item["bbox"] = bounds


def _moments(properties: dict[str, Any], notes: _Notes) -> tuple[dt.datetime, dt.datetime]:
    single = _moment("datetime", properties, notes)
    start = _moment("start_datetime", properties, notes) or single
    end = _moment("end_datetime", properties, notes) or single
    moment = single or start
    if moment is None:
        raise _Unusable("properties.datetime", "It has no date.", "Give datetime, or a start and an end.")
    return moment, max(end or moment, moment)


def _moment(name: str, properties: dict[str, Any], notes: _Notes) -> dt.datetime | None:
    value = properties.get(name)
    if value is None:
        properties.setdefault("datetime", None)
        return None
    moment, zoned = parse_moment(value)
    if moment is None:
        raise _Unusable(f"properties.{name}", f"'{value}' is no date.", "Write it as 2023-07-12T10:34:00Z.")
    if not zoned:
        notes.add(f"properties.{name}", f"'{value}' has no time zone.", "Read as UTC.")
        properties[name] = moment.isoformat().replace("+00:00", "Z")
    return moment


def parse_moment(value: Any) -> tuple[dt.datetime | None, bool]:
    """A date of a STAC item or of a search.

    :param value: RFC 3339 text, or a plain date (its first instant)
    :returns: the moment in UTC (None when it is no date), and whether it named its zone
    """
    match = _MOMENT.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None, False
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = dt.timezone.utc
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        offset = dt.timezone(sign * dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))
    try:
        moment = dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59),
            int((fraction or "0")[:6].ljust(6, "0")), tzinfo=offset,
        )  # fmt: skip
        return moment.astimezone(dt.timezone.utc), zone is not None
    except (ValueError, OverflowError):
        return None, False


def _cloud(properties: dict[str, Any], notes: _Notes) -> float | None:
    value = properties.get("eo:cloud_cover")
    if value is None:
        properties.pop("eo:cloud_cover", None)
        return None
    number = _number(value)
    if number is None or not 0 <= number <= 100:
        properties.pop("eo:cloud_cover", None)
        notes.add("properties.eo:cloud_cover", f"'{value}' is no percentage.", "Kept as unknown.")
        return None
    return number


def _projection(item: dict[str, Any]) -> None:
    """``proj:epsg`` (projection extension 1) is ``proj:code`` since its version 2."""
    assets = [asset for asset in item["assets"].values() if isinstance(asset, dict)]
    for holder in (item["properties"], *assets):
        if "proj:epsg" in holder:
            code = holder.pop("proj:epsg")
            holder.setdefault("proj:code", f"EPSG:{code}" if code else None)


def _addresses(item: dict[str, Any], base_url: str) -> None:
    """Absolute asset links; of the source's tree only where the item came from (``via``) is kept."""
    own = next((link["href"] for link in item["links"] if link.get("rel") == "self"), "")
    base = urljoin(base_url, own) if own else base_url
    others = [link for link in item["links"] if link.get("rel") not in NAVIGATION]
    kept = [dict(link, href=urljoin(base, link["href"])) for link in others]
    if own:
        kept.append({"rel": "via", "href": base, "type": "application/geo+json"})
    item["links"] = kept
    item["assets"] = {
        key: dict(asset, href=urljoin(base, asset["href"]))
        for key, asset in item["assets"].items()
        if isinstance(asset, dict) and isinstance(asset.get("href"), str)
    }


def _serialise(item: dict[str, Any]) -> str:
    """JSON text with ``links`` last, so that ours can be added without reading the item again."""
    item["links"] = item.pop("links")
    try:
        text = orjson.dumps(item).decode()
    except orjson.JSONEncodeError as error:
        raise _Unusable("item", f"It is no valid JSON ({error}).", "Correct it at the source.") from error
    if len(text) > MAX_ITEM_BYTES:
        raise _Unusable("item", f"It has {len(text):,} bytes.", f"At most {MAX_ITEM_BYTES:,} are taken.")
    if "\\u0000" in text:
        raise _Unusable("item", "It holds a NUL character.", "Remove it at the source.")
    return text


def platform_of(item: dict[str, Any]) -> str | None:
    """The satellite in lower case (``spot-6``): as given, else as the id spells it, else None."""
    properties = item.get("properties") or {}
    given = properties.get("platform")
    for text in (given, item.get("id"), properties.get("constellation")):
        if isinstance(text, str) and (match := _SPOT.search(text)):
            return f"spot-{match.group(1)}"
        if isinstance(text, str) and (match := _PLEIADES.search(text)):
            return f"pleiades-{match.group(1).lower()}"
    return given.strip().lower() if isinstance(given, str) and given.strip() else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _links(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else []
    return [link for link in found if isinstance(link, dict) and isinstance(link.get("href"), str)]


def fingerprint(raw: dict[str, Any]) -> str:
    """A UUID of an item's content as the source gave it; the tree around it (paging links) does not count.

    :raises orjson.JSONEncodeError: the item is no JSON
    """
    content = {**raw, "links": [link for link in _links(raw.get("links")) if link.get("rel") not in NAVIGATION]}
    body = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    text = blake2b(body, digest_size=16, key=NORMALISER_VERSION.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
