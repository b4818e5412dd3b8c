"""Items of a page become rows of the scene store. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from ckanext.dinamis_relais import copying
from ckanext.dinamis_relais.imagery import standing
from ckanext.dinamis_relais.imagery.kinds import Kind, kind
from ckanext.dinamis_relais.imagery.normalise import Scene, fingerprint, normalise, normalise_many
from ckanext.dinamis_relais.imagery.problems import Problem

#: A run of this collection lists a whole file, whose scenes name their collections themselves.
WHOLE_FILE = "*"

#: Columns of a row, in their order.
COLUMNS = (
    "collection", "id", "datetime", "end_datetime", "cloud", "platform", "gsd", "source_id", "hash", "geom",
    "item",
)  # fmt: skip

#: Collection and id of a scene.
Key = tuple[str, str]
#: Names of an item's properties, and the types of their values.
Members = tuple[tuple[str, ...], tuple[type, ...]]


@dataclass(frozen=True)
class Todo:
    """What is to be made of a page.

    :ivar source_id: id of the harvest source
    :ivar base: address against which relative links are resolved
    :ivar collection: whose listing it is; of a file, :data:`WHOLE_FILE`
    :ivar collections: of a file: ids that are wanted, empty for all
    :ivar wanted: whether a scene is asked for
    :ivar items: items by key, each with its hash
    :ivar lines: of a file, instead: (number of the line, its hash, the line), not read yet
    """

    source_id: str
    base: str
    collection: str
    collections: list[str]
    wanted: Callable[[Scene], bool]
    items: dict[Key, tuple[Any, str]] = field(default_factory=dict)
    lines: list[tuple[int, str, bytes]] = field(default_factory=list)


@dataclass
class Made:
    """What was made of it.

    :ivar rows: of COPY's binary format by key, their values in the order of :data:`COLUMNS`
    :ivar marks: hash by key of all that is listed, what cannot be used too
    :ivar kinds: by key, how each row is counted
    :ivar counts: how many rows there are of each collection and kind
    :ivar members: by collection, the shapes of the scenes' properties (``Scene.members``)
    """

    rows: dict[Key, bytes] = field(default_factory=dict)
    marks: dict[Key, str] = field(default_factory=dict)
    kinds: dict[Key, Kind] = field(default_factory=dict)
    counts: Counter[tuple[str, Kind]] = field(default_factory=Counter)
    members: set[tuple[str, Members]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def drop(self, key: Key) -> None:
        """Leave a row out."""
        del self.rows[key]
        self.counts[key[0], self.kinds[key]] -= 1


def make(todo: Todo) -> Made:
    """Rows of the scenes that a page lists, and every problem found on the way; the items are used up."""
    made, source = Made(), copying.text(todo.source_id)
    items = todo.items or by_key(todo.collection, todo.collections, _parsed(todo.lines, made.problems), made.problems)
    results = normalise_many([(item, key[0]) for key, (item, _mark) in items.items()], todo.base)
    for (key, (_item, mark)), result in zip(items.items(), results, strict=True):
        made.problems += result.problems
        if result.scene and not todo.wanted(result.scene):
            continue  # outside of what the configuration asks for: as if it were not listed
        made.marks[key] = mark
        if result.scene:
            made.rows[key] = _row(result.scene, mark, source)
            made.kinds[key] = of = kind(result.scene.moment, result.scene.platform, result.scene.cloud)
            made.counts[key[0], of] += 1
            made.members.add((key[0], result.scene.members))
    return made


def _parsed(lines: list[tuple[int, str, bytes]], problems: list[Problem]) -> Iterator[tuple[Any, str]]:
    for number, mark, line in lines:
        try:
            item = standing.read(line) or orjson.loads(line)
        except orjson.JSONDecodeError as error:
            problems.append(Problem(None, f"line {number}", f"It is no JSON ({error}).", "Write one item a line."))
            continue
        if not (isinstance(item, dict) and item.get("type") == "Collection"):  # described before the listing began
            yield item, mark


def by_key(
    collection: str, wanted: list[str], items: Iterable[tuple[Any, str | None]], problems: list[Problem]
) -> dict[Key, tuple[Any, str]]:
    """Items by key, with their hashes; what has no id, or comes twice on the page, is a problem.

    :param collection: whose listing it is; of a file, :data:`WHOLE_FILE`
    :param wanted: of a file: ids of collections that are wanted, empty for all
    :param items: each with its hash; None to have it made
    """
    found: dict[Key, tuple[Any, str]] = {}
    for item, mark in items:
        if not isinstance(item, dict) or item.get("id") in (None, ""):
            problems += normalise(item, "").problems
            continue
        item_id = str(item["id"])
        if "\x00" in item_id:
            problems.append(Problem(repr(item_id), "id", "It holds a NUL character.", "Remove it."))
            continue
        name = collection if collection != WHOLE_FILE else _collection(item, wanted, problems)
        if name is None:
            continue
        key = (name, item_id)
        if found.pop(key, None):
            problems.append(Problem(item_id, "id", "The page lists it twice.", "The last one was kept.", fatal=False))
        try:
            found[key] = item, mark or fingerprint(item)
        except orjson.JSONEncodeError as error:
            problems.append(Problem(item_id, "item", f"It is no valid JSON ({error}).", "Correct it."))
    return found


def _collection(item: dict[str, Any], wanted: list[str], problems: list[Problem]) -> str | None:
    """Where an item of a file belongs, as it says itself. None when it is not wanted."""
    given = item.get("collection")
    if not isinstance(given, str) or not given or "\x00" in given:
        if len(wanted) == 1:
            return wanted[0]
        remedy = "Name it in each item, or name one collection in the source's configuration."
        problems.append(Problem(str(item["id"]), "collection", "It names no collection.", remedy))
        return None
    return given if not wanted or given in wanted else None


def _row(scene: Scene, mark: str, source: bytes) -> bytes:
    """One row of COPY's binary format, in the order of :data:`COLUMNS`."""
    text, number, moment = copying.text, copying.number, copying.moment
    begin = moment(scene.moment)
    return copying.row(
        text(scene.collection), text(scene.id), begin, begin if scene.end is scene.moment else moment(scene.end),
        number(scene.cloud), text(scene.platform), number(scene.gsd), source, copying.uuid(mark),
        copying.packed(scene.wkb), copying.packed(scene.item),
    )  # fmt: skip
