"""Scenes into the store: what changed is found by hash, normalised, and loaded by COPY; the cursor moves on.

A page is taken in two steps, so that the next one can be read and normalised while PostgreSQL still loads this one:
:func:`prepare` reads only, :func:`commit` writes all of it in one transaction with the run's counters and its
cursor. An interruption anywhere loses nothing and counts nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import copying
from ckanext.dinamis_relais.imagery.model import problems, properties, runs, scenes, seen
from ckanext.dinamis_relais.imagery.normalise import (
    NORMALISER_VERSION,
    Scene,
    fingerprint,
    normalise,
    normalise_many,
)
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.source import Page, Request

#: A run of this collection lists a whole file, whose scenes name their collections themselves.
WHOLE_FILE = "*"

_COLUMNS = (
    "collection", "id", "datetime", "end_datetime", "cloud", "platform", "gsd", "source_id", "hash", "geom",
    "item",
)  # fmt: skip

#: Collection and id of a scene.
Key = tuple[str, str]
#: Names of an item's properties, and the types of their values.
Members = tuple[tuple[str, ...], tuple[type, ...]]
#: Kinds of a property, as ``collection_property`` has them.
_KINDS = {str: "text", int: "number", float: "number", bool: "boolean", list: "list", dict: "object"}


@dataclass
class Run:
    """A listing of one collection (or of a file), new or gone on with.

    :ivar request: what to ask next; None when everything was listed
    :ivar resumed: True when an interrupted listing goes on
    :ivar part: years that this listing is limited to (``2019`` or ``/2016``, ``2024/``), empty for all
    """

    id: int
    source_id: str
    collection: str
    request: Request | None
    resumed: bool
    part: str = ""


@dataclass
class Saved:
    """What one page did.

    :ivar repeated: items of this page that this run had listed before
    """

    listed: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Prepared:
    """A page that was read and compared, and can be written.

    :ivar lines: rows for COPY, by key
    :ivar marks: hash by key of all that is listed
    :ivar known: keys that the store has
    :ivar untouched: hashes of a file's lines that are in the store as they are
    :ivar members: by collection, the shapes of the scenes' properties (``Scene.members``)
    """

    page: Page
    saved: Saved
    lines: dict[Key, bytes] = field(default_factory=dict)
    marks: dict[Key, str] = field(default_factory=dict)
    known: set[Key] = field(default_factory=set)
    untouched: list[str] = field(default_factory=list)
    members: set[tuple[str, Members]] = field(default_factory=set)


def save_page(engine: Any, run: Run, page: Page) -> Saved:
    """Take in one page: :func:`prepare` and :func:`commit`."""
    return commit(engine, run, prepare(engine, run, page))


def prepare(engine: Any, run: Run, page: Page, ahead: Prepared | None = None) -> Prepared:
    """Compare a page with the store and normalise what is new or changed.

    :param ahead: the page before, when it may not be in the store yet
    """
    work = Prepared(page, Saved(listed=len(page.items) if page.lines is None else len(page.lines)))
    work.saved.problems += page.problems
    with engine.connect() as connection:
        items = page.items if page.lines is None else _changed_lines(connection, run, work)
        raw = _by_key(run, items, work)
        known = _known(connection, list(work.marks))
    if ahead is not None:
        known |= {key: mark for key, mark in ahead.marks.items() if key in work.marks}
    wanted = [key for key, mark in work.marks.items() if known.get(key) != mark]
    work.known = set(known)
    work.saved.unchanged += len(work.marks) - len(wanted)
    base = page.url if page.url.startswith("http") else ""
    for key, result in zip(wanted, normalise_many([(raw[key], key[0]) for key in wanted], base), strict=True):
        work.saved.problems += result.problems
        if result.scene and page.wanted(result.scene):
            work.lines[key] = _line(result.scene, work.marks[key], run.source_id)
            work.members.add((key[0], result.scene.members))
        elif result.scene:
            del work.marks[key]  # outside of what the configuration asks for: as if it were not listed
    return work


def commit(engine: Any, run: Run, work: Prepared) -> Saved:
    """Write a prepared page and move the cursor behind it, in one transaction.

    :returns: what was new, changed, unchanged, repeated, and every problem
    """
    saved = work.saved
    with engine.begin() as connection:
        # The cursor commits with its page: a crash of the server loses both or none, so nothing need wait for it.
        connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        before = _note_seen(connection, run.id, list(work.marks))
        saved.repeated = len(before)
        if work.untouched:
            saved.repeated += _note_untouched(connection, run, work.untouched)
        for key in before & work.lines.keys():
            remedy = "The last one was kept."
            saved.problems.append(Problem(key[1], "id", "It is listed twice, differently.", remedy, fatal=False))
        _load(connection, list(work.lines.values()), replace=not work.known.isdisjoint(work.lines))
        changed = len(work.known & work.lines.keys())
        saved.changed, saved.created = changed, len(work.lines) - changed
        _note_problems(connection, run.id, saved.problems)
        _note_properties(connection, work.members)
        _move_on(connection, run.id, work.page, saved)
    return saved


def line_mark(line: bytes, key: bytes) -> str:
    """The hash of a line of a file, as a UUID: a line that is the same byte by byte needs not even be read.

    :param key: what besides the line decides what is stored
    """
    return _uuid(blake2b(line, digest_size=16, key=key).hexdigest())


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _changed_lines(connection: Any, run: Run, work: Prepared) -> list[Any]:
    """The items of the lines that the store does not have as they are; their hashes are in ``_mark``."""
    page, saved = work.page, work.saved
    key = (NORMALISER_VERSION + page.filter_mark).encode()[:64]
    by_mark: dict[str, tuple[int, bytes]] = {}
    for number, line in page.lines or []:
        mark = line_mark(line, key)
        if mark in by_mark:
            problem = f"Lines {by_mark[mark][0]} and {number} are the same."
            saved.problems.append(Problem(None, f"line {number}", problem, "Taken once.", fatal=False))
        by_mark[mark] = (number, line)
    query = sa.select(scenes.c.hash).where(
        scenes.c.source_id == run.source_id,
        scenes.c.hash == sa.any_(sa.cast(list(by_mark), sa.ARRAY(scenes.c.hash.type))),
    )
    work.untouched = [str(mark) for mark in connection.execute(query).scalars()]
    saved.unchanged += len(work.untouched)
    for mark in work.untouched:
        by_mark.pop(mark, None)
    items = []
    for mark, (number, line) in by_mark.items():
        try:
            item = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            saved.problems.append(
                Problem(None, f"line {number}", f"It is no JSON ({error}).", "Write one item a line.")
            )
            continue
        if isinstance(item, dict) and item.get("type") == "Collection":
            continue  # described before the listing began
        items.append((item, mark))
    return items


def _by_key(run: Run, items: list[Any], work: Prepared) -> dict[Key, Any]:
    """Items by key, and their hashes; what has no id, or comes twice on the page, is a problem."""
    raw: dict[Key, Any] = {}
    saved = work.saved
    lines = work.page.lines is not None
    for one in items:
        item, mark = one if lines else (one, None)
        if not isinstance(item, dict) or item.get("id") in (None, ""):
            saved.problems += normalise(item, "").problems
            continue
        item_id = str(item["id"])
        if "\x00" in item_id:
            saved.problems.append(Problem(repr(item_id), "id", "It holds a NUL character.", "Remove it."))
            continue
        collection = _collection(run, item, work)
        if collection is None:
            continue
        key = (collection, item_id)
        if key in raw:
            saved.problems.append(
                Problem(item_id, "id", "The page lists it twice.", "The last one was kept.", fatal=False)
            )
        raw[key] = item
        try:
            work.marks[key] = mark or fingerprint(item)
        except orjson.JSONEncodeError as error:
            work.marks.pop(key, None)
            saved.problems.append(Problem(item_id, "item", f"It is no valid JSON ({error}).", "Correct it."))
    return raw


def _collection(run: Run, item: dict[str, Any], work: Prepared) -> str | None:
    """Where an item belongs: an API's listing says so; in a file each item does. None when it is not wanted."""
    if run.collection != WHOLE_FILE:
        return run.collection
    wanted, given = work.page.collections, item.get("collection")
    if not isinstance(given, str) or not given or "\x00" in given:
        if len(wanted) == 1:
            return wanted[0]
        remedy = "Name it in each item, or name one collection in the source's configuration."
        work.saved.problems.append(Problem(str(item["id"]), "collection", "It names no collection.", remedy))
        return None
    return given if not wanted or given in wanted else None


def _pairs(keys: list[Key]) -> Any:
    """Keys as rows of a query: two arrays side by side."""
    arrays = [sa.cast([key[n] for key in keys], sa.ARRAY(sa.Text)) for n in (0, 1)]
    return sa.func.unnest(*arrays).table_valued("collection", "id", name="asked").render_derived()


def _known(connection: Any, keys: list[Key]) -> dict[Key, str]:
    if not keys:
        return {}
    asked = _pairs(keys)
    query = sa.select(scenes.c.collection, scenes.c.id, scenes.c.hash).select_from(
        asked.join(scenes, sa.and_(scenes.c.collection == asked.c.collection, scenes.c.id == asked.c.id))
    )
    return {(row[0], row[1]): str(row[2]) for row in connection.execute(query)}


def _listed(run_id: int, asked: Any) -> Any:
    """SQL: a row beside each of ``asked`` that the run has listed before.

    Its limit makes PostgreSQL look each one up by the index. Left to itself it reads all that the run has listed, for
    every page, since it has no statistics of rows that came a moment ago.
    """
    same = (seen.c.run_id == run_id, seen.c.collection == asked.c.collection, seen.c.id == asked.c.id)
    return sa.select(sa.literal(1).label("found")).where(*same).correlate(asked).limit(1).lateral("listed")


def _note_seen(connection: Any, run_id: int, keys: list[Key]) -> set[Key]:
    """Remember what the run has listed; returns what of it it had listed before."""
    if not keys:
        return set()
    asked = _pairs(keys)
    query = sa.select(asked.c.collection, asked.c.id).select_from(asked.join(_listed(run_id, asked), sa.true()))
    before = {(row[0], row[1]) for row in connection.execute(query)}
    lines = [copying.line((run_id, *one)) for one in keys if one not in before]
    copying.copy(connection, "harvest_seen", ("run_id", "collection", "id"), "".join(lines).encode())
    return before


def _note_untouched(connection: Any, run: Run, marks: list[str]) -> int:
    """The same for lines known by their hash; returns how many the run had listed before."""
    hashes = sa.cast(marks, sa.ARRAY(scenes.c.hash.type))
    before = _listed(run.id, scenes)
    query = (
        sa.select(sa.literal(run.id), scenes.c.collection, scenes.c.id)
        .select_from(scenes.outerjoin(before, sa.true()))
        .where(scenes.c.source_id == run.source_id, scenes.c.hash == sa.any_(hashes), before.c.found.is_(None))
    )
    added = connection.execute(seen.insert().from_select(["run_id", "collection", "id"], query)).rowcount
    return len(marks) - added


def _load(connection: Any, lines: list[bytes], replace: bool) -> None:
    """COPY scenes in: straight into the table when none was known, else through a temporary one."""
    if not lines:
        return
    rows = b"".join(lines)
    if not replace:
        copying.copy(connection, "scene", _COLUMNS, rows)
        return
    connection.execute(sa.text("CREATE TEMPORARY TABLE incoming (LIKE scene INCLUDING DEFAULTS) ON COMMIT DROP"))
    copying.copy(connection, "incoming", _COLUMNS, rows)
    names = ", ".join(_COLUMNS)
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS[2:], "updated"))
    statement = (
        f"INSERT INTO scene ({names}) SELECT {names} FROM incoming "  # noqa: S608  # names of our own columns
        f"ON CONFLICT (collection, id) DO UPDATE SET {updates}"
    )
    connection.execute(sa.text(statement))


def _line(scene: Scene, mark: str, source_id: str) -> bytes:
    """One line of COPY's text format, in the order of ``_COLUMNS``: only what the source wrote needs to be escaped."""
    moment, null, escaped = scene.moment.isoformat(), copying.NULL, copying.escaped
    end = moment if scene.end is scene.moment else scene.end.isoformat()
    cloud, gsd = (null if number is None else number for number in (scene.cloud, scene.gsd))
    platform = null if scene.platform is None else escaped(scene.platform)
    head = (
        f"{escaped(scene.collection)}\t{escaped(scene.id)}\t{moment}\t{end}\t{cloud}\t{platform}\t{gsd}\t{source_id}\t"
        f"{mark}\t{scene.wkb}\t"
    )
    # JSON has no bare control character, and is most of the line: only its backslashes are COPY's business.
    return head.encode() + scene.item.replace(b"\\", b"\\\\") + b"\n"


def _note_problems(connection: Any, run_id: int, found: list[Problem]) -> None:
    if found:
        names = ("item_id", "field", "problem", "remedy", "fatal")
        values = [{"run_id": run_id, **{name: getattr(one, name) for name in names}} for one in found]
        connection.execute(problems.insert(), values)


def _note_properties(connection: Any, shapes: set[tuple[str, Members]]) -> None:
    """Remember which properties there are; in one order, so that two workers never wait for each other in a ring."""
    found = {
        (collection, name, _KINDS[kind])
        for collection, (names, kinds) in shapes
        for name, kind in zip(names, kinds, strict=True)
        if kind in _KINDS
    }
    if found:
        rows = [dict(zip(("collection", "name", "kind"), one, strict=True)) for one in sorted(found)]
        connection.execute(insert(properties).values(rows).on_conflict_do_nothing())


def _move_on(connection: Any, run_id: int, page: Page, saved: Saved) -> None:
    counters = ("listed", "created", "changed", "unchanged")
    change = {name: runs.c[name] + getattr(saved, name) for name in counters}
    values = {
        **change, "pages": runs.c.pages + 1, "problems": runs.c.problems + len(saved.problems),
        "cursor": page.next.as_dict() if page.next else sa.null(),
        "matched": sa.func.coalesce(page.matched, runs.c.matched), "updated": sa.func.clock_timestamp(),
    }  # fmt: skip
    connection.execute(runs.update().where(runs.c.id == run_id).values(values))
