"""The fields extension: an answer with the members of its items that were asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ckanext.dinamis_relais.imagery.queryables import SearchError

#: What an item has when ``fields`` names nothing: enough to be valid.
DEFAULT = (
    "type", "stac_version", "id", "geometry", "bbox", "links", "assets", "collection", "properties.datetime",
    "properties.start_datetime", "properties.end_datetime",
)  # fmt: skip
#: Always given: short texts, without which a client does not know what it reads.
KEPT = ("type", "stac_version", "id", "collection")
_MEMBERS = frozenset(
    ("type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "properties", "links", "assets", "collection")
)
#: Names in one list.
MOST = 200


@dataclass(frozen=True)
class Fields:
    """What is given and what is not; the most exact path decides, and of two equal ones the given.

    :ivar include: paths such as ``properties.datetime``; None when all that is not left out is given
    """

    include: frozenset[str] | None
    exclude: frozenset[str]

    def prune(self, item: dict[str, Any]) -> dict[str, Any]:
        """The item with what was asked for."""
        return _pruned(item, "", self.include is None, self)

    @property
    def links(self) -> bool:
        """Whether the item's links are given."""
        return "links" in self.prune({"links": []})


def _pruned(value: dict[str, Any], path: str, given: bool, fields: Fields) -> dict[str, Any]:
    include = fields.include or frozenset()
    kept = {}
    for key, inside in value.items():
        here = f"{path}{key}"
        wanted = here in include or (given and here not in fields.exclude)
        deeper = any(name.startswith(f"{here}.") for name in include | fields.exclude)
        if deeper and isinstance(inside, dict):
            part = _pruned(inside, f"{here}.", wanted, fields)
            if part or wanted:
                kept[key] = part
        elif wanted:
            kept[key] = inside
    return kept


def parse(value: Any) -> Fields | None:
    """``id,-geometry`` of a GET, ``{"include": […], "exclude": […]}`` of a POST; None when items stay whole.

    An empty ``include`` means what a valid item needs, an absent one everything: so the extension has it.

    :raises SearchError: it is neither
    """
    if value is None:
        return None
    if isinstance(value, str):
        names = [one.strip() for one in value.split(",") if one.strip()]
        without = [one[1:] for one in names if one.startswith("-")]
        # A plus in an address is a space once it is decoded.
        given: Any = [one.lstrip("+") for one in names if not one.startswith("-")]
        value = {"include": given, "exclude": without}
    if not isinstance(value, dict):
        raise SearchError("fields", 'Give {"include": […], "exclude": […]}, or id,-geometry in an address.')
    include, exclude = (_paths(value.get(name), name) for name in ("include", "exclude"))
    if "include" not in value and exclude:
        return Fields(None, exclude - frozenset(KEPT))
    default = frozenset(one for one in DEFAULT if one not in exclude and one.split(".")[0] not in exclude)
    return Fields((include or default) | frozenset(KEPT), exclude)


def _paths(value: Any, name: str) -> frozenset[str]:
    names = [] if value is None else value
    if not isinstance(names, list) or len(names) > MOST or not all(isinstance(one, str) for one in names):
        raise SearchError("fields", f"'{name}' is a list of at most {MOST} names.")
    return frozenset(one if one.split(".")[0] in _MEMBERS else f"properties.{one}" for one in names)
