"""What a search may filter and sort by: the store's columns, and the properties that its scenes really have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from reprlib import repr as short
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ckanext.dinamis_relais.imagery.model import properties, scenes
from ckanext.dinamis_relais.imagery.normalise import platform_of

#: Properties that hold a time, by the STAC specification and its timestamps extension.
_TIMES = frozenset({"created", "updated", "published", "expires", "unpublished"})
_PREFIX = "properties."


class SearchError(ValueError):
    """A search that cannot be understood.

    :ivar field: the member of the search that is wrong
    """

    def __init__(self, where: str, message: str):
        self.field = where
        super().__init__(message)


def writable(text: str, member: str) -> str:
    """A text that PostgreSQL can be given.

    :raises SearchError: it holds a NUL character or half a surrogate pair
    """
    if "\x00" in text or (not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)):
        raise SearchError(member, "It holds a sign that no text can hold (NUL or half a pair). Remove it.")
    return text


@dataclass(frozen=True)
class Queryable:
    """Something that scenes are filtered and sorted by.

    :ivar kinds: what its values are: ``text``, ``number``, ``boolean``, ``moment``, ``list``, ``object``, ``geometry``
    :ivar column: the column that holds it; None when it is read from the item
    :ivar end: for a time that may be a period, the column of its end
    :ivar nullable: False when every scene has it
    :ivar spelling: brings a text to the column's spelling
    """

    name: str
    kinds: frozenset[str]
    column: Any = None
    end: Any = None
    nullable: bool = True
    spelling: Callable[[str], str] | None = None

    def sql(self, kind: str) -> Any:
        """The value as SQL, null where it is of another kind."""
        if self.column is not None and kind in self.kinds:
            return self.column
        text = self.text
        if kind == "list":
            return sa.cast(sa.func.json_extract_path(scenes.c.item, "properties", self.name), JSONB)
        if kind == "moment":
            return sa.func.dinamis_moment(text, type_=sa.DateTime(timezone=True))
        value = {"number": sa.cast(text, sa.Float), "boolean": sa.cast(text, sa.Boolean)}.get(kind, text)
        if len(self.kinds) == 1:
            return value
        # Scenes of one catalogue do not always agree: a cast of another's text would fail.
        found = sa.func.json_typeof(sa.func.json_extract_path(scenes.c.item, "properties", self.name))
        return sa.case((found == {"text": "string"}.get(kind, kind), value))

    @property
    def text(self) -> Any:
        """The item's own property as text, null when it has none."""
        return sa.func.json_extract_path_text(scenes.c.item, "properties", self.name, type_=sa.Text)

    @property
    def given(self) -> Any:
        """SQL that is null when the scene does not have it."""
        return self.column if self.column is not None else self.text

    @property
    def order_kind(self) -> str | None:
        """The kind to sort by, None when it has no order."""
        return next((kind for kind in ("moment", "number", "text", "boolean") if kind in self.kinds), None)


def platform_name(text: str) -> str:
    """The name of a satellite as the store spells it (``spot-6``)."""
    return platform_of({"properties": {"platform": text}}) or text


#: What every scene has, or may have, in a column of its own.
CORE = {
    one.name: one
    for one in (
        Queryable("id", frozenset({"text"}), scenes.c.id, nullable=False),
        Queryable("collection", frozenset({"text"}), scenes.c.collection, nullable=False),
        Queryable("geometry", frozenset({"geometry"}), scenes.c.geom, nullable=False),
        Queryable("datetime", frozenset({"moment"}), scenes.c.datetime, scenes.c.end_datetime, nullable=False),
        Queryable("start_datetime", frozenset({"moment"}), scenes.c.datetime, nullable=False),
        Queryable("end_datetime", frozenset({"moment"}), scenes.c.end_datetime, nullable=False),
        Queryable("eo:cloud_cover", frozenset({"number"}), scenes.c.cloud),
        Queryable("platform", frozenset({"text"}), scenes.c.platform, spelling=platform_name),
        Queryable("gsd", frozenset({"number"}), scenes.c.gsd),
    )
}


def stored(engine: Any, collection: str | None = None) -> dict[str, Queryable]:
    """The queryables of the whole store or of one collection: the columns, and the properties of its scenes.

    :param engine: of the scene store
    """
    query = sa.select(properties.c.name, properties.c.kind)
    if collection is not None:
        query = query.where(properties.c.collection == collection)
    kinds: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for name, kind in connection.execute(query.order_by(properties.c.name)):
            kinds.setdefault(name, set()).add(kind)
    found = dict(CORE)
    for name, given in kinds.items():
        if name not in CORE:
            found[name] = Queryable(name, frozenset({"moment"} if name in _TIMES and given == {"text"} else given))
    return found


def find(known: Mapping[str, Queryable], name: Any, member: str, where: str = "") -> Queryable:
    """The queryable of a name, with or without ``properties.`` before it.

    :param member: member of the search that names it, for the message
    :param where: where in that member
    :raises SearchError: there is none; says which there are
    """
    if isinstance(name, str):
        found = known.get(name) or known.get(name.removeprefix(_PREFIX))
        if found is not None:
            return found
    shown = short(name)
    raise SearchError(
        member, f"Unknown property {shown}{where}. Possible: {', '.join(sorted(known))} (see /queryables)."
    )


_SCHEMAS: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "title": "Id", "minLength": 1},
    "collection": {"type": "string", "title": "Collection"},
    "geometry": {"title": "Footprint", "$ref": "https://geojson.org/schema/Geometry.json"},
    "datetime": {"title": "Acquisition (UTC)"},
    "start_datetime": {"title": "Start of the acquisition (UTC)"},
    "end_datetime": {"title": "End of the acquisition (UTC)"},
    "eo:cloud_cover": {"title": "Cloud cover (%)", "minimum": 0, "maximum": 100},
    "platform": {"title": "Satellite"},
    "gsd": {"title": "Ground sample distance (m)", "exclusiveMinimum": 0},
}
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"}, "number": {"type": "number"}, "boolean": {"type": "boolean"},
    "moment": {"type": "string", "format": "date-time"}, "list": {"type": "array"}, "object": {"type": "object"},
    "geometry": {},
}  # fmt: skip


def document(address: str, known: Mapping[str, Queryable], title: str) -> dict[str, Any]:
    """The JSON Schema that ``/queryables`` answers.

    :param address: where it is answered
    """
    described = {}
    for name, one in known.items():
        types = [_TYPES[kind] for kind in sorted(one.kinds)]
        described[name] = {
            "title": name,
            **(types[0] if len(types) == 1 else {"anyOf": types}),
            **_SCHEMAS.get(name, {}),
        }
    return {
        "$schema": "https://json-schema.org/draft/2019-09/schema", "$id": address, "type": "object", "title": title,
        "description": "What a search's filter, query and sortby may name.",
        "properties": described, "additionalProperties": False,
    }  # fmt: skip
