"""Items of a file that are stored as they stand: complete STAC 1.1, to which nothing is to be done but their links.

Most lines of a good file are so. Of those only what the columns of the store are made of is decoded; the rest is
checked and copied as bytes, which takes half the time. Any doubt, and the line goes the usual way (normalise.py), which
repairs and reports: what is stored is the same either way, but for the order of keys and for blanks. Pure.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec


class Standing(dict[str, Any]):
    """The members of an item that are looked at: ``id``, ``collection``, ``geometry``, ``properties``, ``links``.

    :ivar body: JSON of the whole item without its links and without its last brace
    :ivar line: as it was read
    """

    __slots__ = ("body", "line")

    def __init__(self, members: dict[str, Any], body: bytes, line: bytes):
        super().__init__(members)
        self.body, self.line = body, line


class _Asset(msgspec.Struct, gc=False):
    """Of an asset, what might not be able to stay as it is."""

    href: str
    epsg: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="proj:epsg", default=msgspec.UNSET)


class _Item(msgspec.Struct, gc=False):
    """An item to which nothing must be added; it may have more members."""

    type: Literal["Feature"]
    stac_version: Literal["1.1.0"]
    stac_extensions: list[str]
    id: str
    collection: str
    geometry: dict[str, Any]
    bbox: list[float]
    properties: dict[str, Any]
    assets: dict[str, _Asset]
    links: msgspec.Raw


_ITEM = msgspec.json.Decoder(_Item)
_LINKS = msgspec.json.Decoder(list[dict[str, Any]])


def read(line: bytes) -> Standing | None:
    """An item that can be stored as it stands; None when it cannot, or when that is not certain.

    :param line: one item as JSON in UTF-8, from a file
    """
    # A backslash may begin a NUL or half a character.
    if b"\\" in line:
        return None
    try:
        line.decode()
        item = _ITEM.decode(line)
        links = _LINKS.decode(item.links)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    body = _without_links(line, bytes(item.links)) if _is_complete(item, links) else None
    if body is None:
        return None
    members = {
        "id": item.id, "collection": item.collection, "geometry": item.geometry, "properties": item.properties,
        "links": links,
    }  # fmt: skip
    return Standing(members, body, line)


def _is_complete(item: _Item, links: list[dict[str, Any]]) -> bool:
    properties = item.properties
    return (
        bool(item.id and item.collection)
        and len(item.bbox) in (4, 6) and all(map(math.isfinite, item.bbox))
        and "datetime" in properties and "proj:epsg" not in properties
        and properties.get("eo:cloud_cover", 0) is not None
        and all(map(_can_stay, item.assets.values()))
        and all(isinstance(link.get("href"), str) for link in links)
    )  # fmt: skip


def _can_stay(asset: _Asset) -> bool:
    """Its address is absolute, and its projection is spelled as in STAC 1.1."""
    return asset.epsg is msgspec.UNSET and asset.href.startswith(("https://", "http://"))


def _without_links(line: bytes, links: bytes) -> bytes | None:
    """The item without its links and its last brace; None when it is not certain where they are."""
    before, name, after = line.partition(b'"links":')
    after = after.strip()
    if not name or name in after or not after.startswith(links):
        return None
    rest = after[len(links) : -1].strip(b" ,")
    return before + rest if rest else before.rstrip(b" ,")
