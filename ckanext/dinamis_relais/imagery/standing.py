"""Items of a file that are stored as they stand: complete STAC 1.1, to which nothing is to be done but their links.

Most lines of a good file are so. Of those only what the columns of the store are made of is decoded; the rest is
checked and copied as bytes, which takes half the time. Any doubt, and the line goes the usual way (normalise.py), which
repairs and reports: what is stored is the same either way, but for the order of keys and for blanks. Pure.
"""

from __future__ import annotations

import math
from typing import Any

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


class _Asset(msgspec.Struct):
    """An asset that can stay as it is: its address is absolute, its projection is spelled as in STAC 1.1."""

    href: str
    epsg: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="proj:epsg", default=msgspec.UNSET)


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANYTHING = msgspec.json.Decoder(dict[str, Any])
_ASSETS = msgspec.json.Decoder(dict[str, _Asset])
_LINKS = msgspec.json.Decoder(list[dict[str, Any]])
_NAMES = msgspec.json.Decoder(list[str])
_NUMBERS = msgspec.json.Decoder(list[float])
_TEXT = msgspec.json.Decoder(str)

_NEEDED = frozenset({"type", "stac_version", "id", "collection", "geometry", "bbox", "properties", "assets", "links"})


def read(line: bytes) -> Standing | None:
    """An item that can be stored as it stands; None when it cannot, or when that is not certain.

    :param line: one item as JSON in UTF-8, from a file
    """
    line = line.rstrip(b"\r\n")
    # A backslash may begin a NUL or half a character; other blanks than spaces would have to be escaped for COPY.
    if b"\\" in line or b"\t" in line or b"\r" in line:
        return None
    try:
        line.decode()
        members = _MEMBERS.decode(line)
        return _checked(members, line) if members.keys() >= _NEEDED else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _checked(members: dict[str, msgspec.Raw], line: bytes) -> Standing | None:
    listed = members.pop("links")
    links, properties = _LINKS.decode(listed), _ANYTHING.decode(members["properties"])
    found = {
        "id": _TEXT.decode(members["id"]), "collection": _TEXT.decode(members["collection"]),
        "geometry": _ANYTHING.decode(members["geometry"]), "properties": properties, "links": links,
    }  # fmt: skip
    _NAMES.decode(members.get("stac_extensions", b"[]"))
    box = _NUMBERS.decode(members["bbox"])
    complete = (
        bytes(members["type"]) == b'"Feature"' and bytes(members["stac_version"]) == b'"1.1.0"'
        and bool(found["id"] and found["collection"])
        and len(box) in (4, 6) and all(map(math.isfinite, box))
        and "datetime" in properties and "proj:epsg" not in properties
        and properties.get("eo:cloud_cover", 0) is not None
        and all(map(_can_stay, _ASSETS.decode(members["assets"]).values()))
        and all(isinstance(link.get("href"), str) for link in links)
    )  # fmt: skip
    return Standing(found, _without(listed, members, line), line) if complete else None


def _can_stay(asset: _Asset) -> bool:
    return asset.epsg is msgspec.UNSET and asset.href.startswith(("https://", "http://"))


def _without(links: msgspec.Raw, members: dict[str, msgspec.Raw], line: bytes) -> bytes:
    """The item without its links and its last brace."""
    tail = b',"links":%b}' % links
    if line.endswith(tail):
        return line[: -len(tail)]
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), value) for name, value in members.items())
