"""A STAC item of any version becomes a STAC 1.1 item and the columns of the scene store. Pure.

What is missing is computed (``bbox``), what is crooked is repaired with a note, what cannot be used is
reported: nothing is dropped in silence, and nothing is invented (an unknown cloud cover stays unknown).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urljoin

import orjson

from ckanext.dinamis_relais.imagery import footprints
from ckanext.dinamis_relais.imagery.moments import parse_moment
from ckanext.dinamis_relais.imagery.problems import Notes, Problem, Unusable
from ckanext.dinamis_relais.imagery.standing import Standing

STAC_VERSION = "1.1.0"
#: Raised when the same source item would now be stored otherwise: all scenes are then written again.
NORMALISER_VERSION = "1"
#: Bytes of JSON. A real SPOT item has 5,000; one of megabytes is a mistake or an attack.
MAX_ITEM_BYTES = 2_000_000

#: Links that say where an item sits in the source's tree. In our STAC API it sits elsewhere.
NAVIGATION = frozenset({"self", "root", "parent", "collection", "next", "prev", "previous", "items", "item"})

_SPOT = re.compile(r"SPOT[-_ ]?([1-9])(?!\d)", re.IGNORECASE)
_PLEIADES = re.compile(r"(?:PHR|PLEIADES[-_ ]?)(1[AB])", re.IGNORECASE)


class Scene(NamedTuple):
    """One row of the scene store.

    :ivar moment: acquisition, or its start, in UTC; orders every list
    :ivar end: end of the acquisition in UTC, equal to ``moment`` for an instant
    :ivar cloud: percent of the whole scene, None when unknown
    :ivar gsd: metres
    :ivar wkb: footprint as EWKB, longitude and latitude, EPSG:4326
    :ivar item: the STAC 1.1 item as JSON in UTF-8, ``links`` last
    :ivar members: names of its properties and the Python types of their values
    """

    collection: str
    id: str
    moment: dt.datetime
    end: dt.datetime
    cloud: float | None
    platform: str | None
    gsd: float | None
    wkb: bytes
    item: bytes
    members: tuple[tuple[str, ...], tuple[type, ...]]


class Normalised(NamedTuple):
    """The scene, or None, and all that was found on the way."""

    scene: Scene | None
    problems: list[Problem]


def normalise_many(raws: list[tuple[Any, str]], base_url: str = "") -> list[Normalised]:
    """Make scenes of many items at once, which is faster: their footprints are read together.

    :param raws: (item, collection); the items are used up
    :param base_url: address of the page, against which relative links are resolved
    """
    shapes = footprints.read_many([raw for raw, _ in raws])
    return [
        normalise(raw, collection, base_url, shape, keep=False)
        for (raw, collection), shape in zip(raws, shapes, strict=True)
    ]


def normalise(
    raw: Any, collection: str, base_url: str = "", shape: footprints.Footprint | None = None, keep: bool = True
) -> Normalised:
    """Make a scene of an item as a source gave it.

    :param raw: a STAC item of version 0.9 to 1.1, decoded, or as it stands
    :param collection: the collection in whose listing it was found
    :param base_url: address of the page, against which relative links are resolved
    :param shape: its footprint, when it was read already and is good
    :param keep: True to leave ``raw`` as it is
    :returns: the scene (None when unusable) and every problem and repair
    """
    if isinstance(raw, Standing):
        scene = _as_it_stands(raw, collection, base_url, shape)
        if scene:
            return Normalised(scene, [])
        raw = orjson.loads(raw.line)
    item_id = raw.get("id") if isinstance(raw, dict) else None
    notes = Notes(str(item_id) if item_id not in (None, "") else "")
    try:
        return Normalised(_scene(raw, collection, base_url, notes, shape, keep), notes)
    except Unusable as error:
        fatal = Problem(notes.item_id or None, error.where, error.problem, error.remedy)
        return Normalised(None, [*notes, fatal])


def _as_it_stands(item: Standing, collection: str, base_url: str, shape: footprints.Footprint | None) -> Scene | None:
    """The scene of an item of which only the links change; None when there is something to say about it."""
    properties, notes = item["properties"], Notes(item["id"])
    if shape is None or item["collection"] != collection:
        return None
    try:
        moments, cloud = _moments(properties, notes), _cloud(properties, notes)
    except Unusable:
        return None
    links, _base = _kept_links(item["links"], base_url)
    text = b"".join((item.body, b',"links":', orjson.dumps(links), b"}"))
    return None if notes or len(text) > MAX_ITEM_BYTES else _made(item, collection, moments, cloud, shape, text)


def _scene(  # the stages of one item, in a row
    raw: Any, collection: str, base_url: str, notes: Notes, shape: footprints.Footprint | None, keep: bool
) -> Scene:
    if not isinstance(raw, dict) or raw.get("type", "Feature") != "Feature":
        raise Unusable("type", "It is not a GeoJSON Feature.", "Check what the source lists here.")
    if not notes.item_id:
        raise Unusable("id", "It has no id.", "Give it one at the source.")
    item = _migrated(raw, notes, keep)
    properties = item["properties"]
    if item.get("collection") not in (None, collection):
        notes.add("collection", f"It names '{item['collection']}'.", f"Kept in '{collection}'.")
    item["id"], item["collection"], item["type"] = notes.item_id, collection, "Feature"
    shape = shape or footprints.read_one(item, notes)
    _bbox(item, shape.bounds, notes)
    moments, cloud = _moments(properties, notes), _cloud(properties, notes)
    _projection(properties)
    _addresses(item, base_url)
    return _made(item, collection, moments, cloud, shape, _serialise(item))


def _made(
    item: dict[str, Any],
    collection: str,
    moments: tuple[dt.datetime, dt.datetime],
    cloud: float | None,
    shape: footprints.Footprint,
    text: bytes,
) -> Scene:
    """The row of an item that is in order."""
    properties, (moment, end) = item["properties"], moments
    return Scene(
        collection=collection, id=item["id"], moment=moment, end=end, cloud=cloud, platform=platform_of(item),
        gsd=_number(properties.get("gsd")), wkb=shape.wkb, item=text,
        members=(tuple(properties), tuple(map(type, properties.values()))),
    )  # fmt: skip


def _migrated(raw: dict[str, Any], notes: Notes, keep: bool) -> dict[str, Any]:
    """In STAC 1.1, a deep copy to keep ``raw``. pystac reads versions: it knows what each of them renamed."""
    try:
        item = orjson.loads(orjson.dumps(raw)) if keep else raw
    except (orjson.JSONEncodeError, orjson.JSONDecodeError) as error:
        raise Unusable("item", f"It is no valid JSON ({error}).", "Correct it at the source.") from error
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
        # Loaded when it is needed, since it takes longer than a thousand scenes.
        from pystac.serialization import identify_stac_object, migrate_to_latest

        try:
            item = migrate_to_latest(item, identify_stac_object(item))
        except Exception as error:  # pystac raises what a broken item makes it raise
            raise Unusable(
                "stac_version", f"STAC {raw.get('stac_version')} could not be read ({error}).",
                "Publish it as STAC 1.0.0 or 1.1.0.",
            ) from error  # fmt: skip
    item["stac_version"] = STAC_VERSION
    return item


def _bbox(item: dict[str, Any], bounds: list[float], notes: Notes) -> None:
    given = item.get("bbox")
    if isinstance(given, list) and len(given) in (4, 6) and footprints.are_numbers(given):
        return
    if given is not None:
        notes.add("bbox", "It is not a list of four or six numbers.", "Computed from the geometry.")
    item["bbox"] = bounds


def _moments(properties: dict[str, Any], notes: Notes) -> tuple[dt.datetime, dt.datetime]:
    single = _moment("datetime", properties, notes)
    start = _moment("start_datetime", properties, notes) or single
    end = _moment("end_datetime", properties, notes) or single
    moment = single or start
    if moment is None:
        raise Unusable("properties.datetime", "It has no date.", "Give datetime, or a start and an end.")
    return moment, end if end and end > moment else moment


def _moment(name: str, properties: dict[str, Any], notes: Notes) -> dt.datetime | None:
    value = properties.get(name)
    if value is None:
        properties.setdefault("datetime", None)
        return None
    moment, zoned = parse_moment(value)
    if moment is None:
        raise Unusable(f"properties.{name}", f"'{value}' is no date.", "Write it as 2023-07-12T10:34:00Z.")
    if not zoned:
        notes.add(f"properties.{name}", f"'{value}' has no time zone.", "Read as UTC.")
        properties[name] = moment.isoformat().replace("+00:00", "Z")
    return moment


def _cloud(properties: dict[str, Any], notes: Notes) -> float | None:
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


def _projection(holder: dict[str, Any]) -> None:
    """``proj:epsg`` (projection extension 1) is ``proj:code`` since its version 2."""
    if "proj:epsg" in holder:
        code = holder.pop("proj:epsg")
        holder.setdefault("proj:code", f"EPSG:{code}" if code else None)


def _addresses(item: dict[str, Any], base_url: str) -> None:
    """Absolute links, also of assets."""
    item["links"], base = _kept_links(item["links"], base_url)
    assets = item["assets"]
    for key, asset in list(assets.items()):
        if isinstance(asset, dict) and isinstance(asset.get("href"), str):
            asset["href"] = _joined(base, asset["href"])
            _projection(asset)
        else:
            del assets[key]


def _kept_links(links: list[dict[str, Any]], base_url: str) -> tuple[list[dict[str, Any]], str]:
    """Absolute links; of the source's tree only where the item came from (``via``) is kept.

    :returns: the links, and the address that relative ones are resolved against
    """
    own = next((link["href"] for link in links if link.get("rel") == "self"), "")
    base = urljoin(base_url, own) if own else base_url
    kept = [dict(link, href=_joined(base, link["href"])) for link in links if link.get("rel") not in NAVIGATION]
    if own:
        kept.append({"rel": "via", "href": base, "type": "application/geo+json"})
    return kept, base


def _joined(base: str, href: str) -> str:
    """``urljoin``, which takes as long for what is absolute as for what is not."""
    return href if href.startswith(("https://", "http://")) else urljoin(base, href)


def _serialise(item: dict[str, Any]) -> bytes:
    """JSON with ``links`` last, so that ours can be added without reading the item again."""
    item["links"] = item.pop("links")
    try:
        text = orjson.dumps(item)
    except orjson.JSONEncodeError as error:
        raise Unusable("item", f"It is no valid JSON ({error}).", "Correct it at the source.") from error
    if len(text) > MAX_ITEM_BYTES:
        raise Unusable("item", f"It has {len(text):,} bytes.", f"At most {MAX_ITEM_BYTES:,} are taken.")
    if b"\\u0000" in text:
        raise Unusable("item", "It holds a NUL character.", "Remove it at the source.")
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
    return mark(body, NORMALISER_VERSION)


#: Bytes above which Python lets other threads go first while it hashes, and then waits for its turn again.
_HELD = 2047


def mark(content: bytes, key: str) -> str:
    """A UUID of content, in PostgreSQL's spelling: the head of its SHA-256, which processors reckon by themselves.

    :param key: what besides the content decides what is stored
    """
    digest = sha256(key.encode() + b"\n")
    for at in range(0, len(content), _HELD):
        digest.update(content[at : at + _HELD])
    text = digest.hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
