"""Which files may come with a message: told by their content as well as by their name. Pure; nothing is opened."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

#: Extension → media type, of what is taken.
TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "json": "application/geo+json",
    "zip": "application/zip",
}
#: The types as a person reads them.
NAMES = "PDF, PNG, JPEG, TXT, CSV, GeoJSON, ZIP"

_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
}
#: RFC 7946, section 1.4.
_GEOJSON = {
    "FeatureCollection", "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon",
    "MultiPolygon", "GeometryCollection",
}  # fmt: skip
#: Longest name that is kept, in characters.
LONGEST_NAME = 100


class FileProblem(ValueError):
    """A file that is not taken.

    :ivar kind: ``empty``, ``large``, ``type`` (by its name) or ``content`` (not what its name says)
    :ivar name: the file's name, cleaned
    """

    def __init__(self, kind: str, name: str):
        super().__init__(f"{name}: {kind}")
        self.kind, self.name = kind, name


@dataclass(frozen=True)
class Checked:
    """A file that may be kept: its name without folders, its type by its content."""

    name: str
    media_type: str
    content: bytes


def clean_name(name: str) -> str:
    """The last part of a path, in characters that any disk and any header may hold; ``file`` when none is left."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in last if unicodedata.category(c)[0] not in "CZ" or c == " ")
    plain = re.sub(r'[<>:"|?*;%]', "", kept).strip().rstrip(" .")
    stem, dot, extension = plain.rpartition(".")
    if not dot:
        return plain[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(extension) - 1].strip(' .') or 'file'}.{extension}"[:LONGEST_NAME]


def check(name: str, content: bytes, limit: int) -> Checked:
    """The file, when its name and its content agree on one of the types that are taken.

    An archive is never opened: what is inside is the reader's affair, and a bomb stays as small as it came.

    :param name: as the person's computer calls it; only its last part is kept
    :param limit: largest size, in bytes
    :raises FileProblem: what is wrong
    """
    known = clean_name(name)
    media_type = TYPES.get(known.rpartition(".")[2].lower()) if "." in known else None
    if media_type is None:
        raise FileProblem("type", known)
    if not content:
        raise FileProblem("empty", known)
    if len(content) > limit:
        raise FileProblem("large", known)
    signatures = _SIGNATURES.get(media_type)
    if signatures:
        fits = content.startswith(signatures)
    elif media_type == "application/geo+json":
        fits = _is_geojson(content)
    else:
        fits = _is_text(content)
    if not fits:
        raise FileProblem("content", known)
    return Checked(known, media_type, content)


def _is_text(content: bytes) -> bool:
    """Text of people or of a table: no bytes of a program, no page of the web."""
    if any(content.startswith(known) for signatures in _SIGNATURES.values() for known in signatures):
        return False
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = any(c < " " and c not in "\t\n\r\f" for c in text)
        return not controls and not text.lstrip().startswith("<")
    return False


def _is_geojson(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") in _GEOJSON
