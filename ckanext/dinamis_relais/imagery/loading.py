"""Scenes into the store: what changed is found by hash, made ready, and loaded by COPY; the cursor moves on.

A page is taken in three steps, so that the next one can be read while PostgreSQL still loads this one: :func:`compare`
reads the store only, ``reading.make`` needs no store, :func:`commit` writes all of it in one transaction with the
run's counters and its cursor. An interruption anywhere loses nothing and counts nothing twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import copying
from ckanext.dinamis_relais.imagery import tally
from ckanext.dinamis_relais.imagery.model import problems, properties, runs, scenes, seen
from ckanext.dinamis_relais.imagery.normalise import NORMALISER_VERSION
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.reading import COLUMNS, Key, Made, Members, Todo, by_key, make
from ckanext.dinamis_relais.imagery.source import Page, Request

#: Kinds of a property, as ``collection_property`` has them.
_KINDS = {str: "text", int: "number", float: "number", bool: "boolean", list: "list", dict: "object"}


@dataclass
class Run:
    """A listing of one collection (or of a file), new or gone on with.

    :ivar request: what to ask next; None when everything was listed
    :ivar resumed: True when an interrupted listing goes on
    :ivar part: years that this listing is limited to (``2019`` or ``/2016``, ``2024/``), empty for all
    :ivar fresh: True when the store had nothing of it, and nobody else loads it now
    """

    id: int
    source_id: str
    collection: str
    request: Request | None
    resumed: bool
    part: str = ""
    fresh: bool = False


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
class Compared:
    """A page that was compared with the store.

    :ivar todo: what is new or changed
    :ivar unchanged: keys of what the store has as it is
    :ivar untouched: hashes of a file's lines that are in the store as they are
    """

    page: Page
    saved: Saved
    todo: Todo
    unchanged: list[Key] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)


def save_page(engine: Any, run: Run, page: Page) -> Saved:
    """Take in one page: :func:`compare`, ``reading.make`` and :func:`commit`."""
    work = compare(engine, run, page)
    return commit(engine, run, work, make(work.todo))


def compare(engine: Any, run: Run, page: Page) -> Compared:
    """Find what of a page the store does not have as it is.

    Of what a page before has, and is not in the store yet, some may be found again: :func:`commit` sees it.
    """
    saved = Saved(listed=len(page.items) if page.lines is None else len(page.lines), problems=list(page.problems))
    base = page.url if page.url.startswith("http") else ""
    todo = Todo(run.source_id, base, run.collection, page.collections, page.wanted)
    work = Compared(page, saved, todo)
    with engine.connect() as connection:
        if page.lines is not None:
            todo.lines.extend(_changed_lines(connection, run, work))
            return work
        items = by_key(run.collection, page.collections, ((item, None) for item in page.items), saved.problems)
        known = {} if run.fresh else _known(connection, list(items))
    for key, (item, mark) in items.items():
        if key in known and known[key][0] == mark:
            work.unchanged.append(key)
        else:
            todo.items[key] = item, mark
    saved.unchanged += len(work.unchanged)
    return work


def commit(engine: Any, run: Run, work: Compared, made: Made) -> Saved:
    """Write a page and move the cursor behind it, in one transaction.

    :param made: of ``work.todo``
    :returns: what was new, changed, unchanged, repeated, and every problem
    """
    saved, rows = work.saved, made.rows
    saved.problems += made.problems
    with engine.begin() as connection:
        # The cursor commits with its page: a crash of the server loses both or none, so nothing need wait for it.
        connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        before = _note_seen(connection, run.id, [*work.unchanged, *made.marks])
        saved.repeated = len(before)
        if work.untouched:
            saved.repeated += _note_untouched(connection, run, work.untouched)
        # What a store without any scene of this source has by now, this run has listed.
        known = _known(connection, [key for key in rows if key in before or not run.fresh])
        for key in [key for key, (mark, _kind) in known.items() if mark == made.marks[key]]:
            saved.unchanged += 1
            del rows[key], known[key]
        for key in before & rows.keys():
            remedy = "The last one was kept."
            saved.problems.append(Problem(key[1], "id", "It is listed twice, differently.", remedy, fatal=False))
        _load(connection, list(rows.values()), replace=bool(known))
        saved.changed, saved.created = len(known), len(rows) - len(known)
        counts = Counter((key[0], made.kinds[key]) for key in rows)
        counts.subtract((key[0], kind) for key, (_mark, kind) in known.items())
        tally.add(connection, counts)
        _note_problems(connection, run.id, saved.problems)
        _note_properties(connection, made.members)
        _move_on(connection, run.id, work.page, saved)
    return saved


def line_mark(line: bytes, key: bytes) -> str:
    """The hash of a line of a file, as a UUID: a line that is the same byte by byte needs not even be read.

    :param key: what besides the line decides what is stored
    """
    return _uuid(blake2b(line, digest_size=16, key=key).hexdigest())


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _changed_lines(connection: Any, run: Run, work: Compared) -> list[tuple[int, str, bytes]]:
    """The lines that the store does not have as they are, each with its number and hash."""
    page, saved = work.page, work.saved
    key = (NORMALISER_VERSION + page.filter_mark).encode()[:64]
    found: dict[str, tuple[int, str, bytes]] = {}
    for number, line in page.lines or []:
        mark = line_mark(line, key)
        if mark in found:
            problem = f"Lines {found[mark][0]} and {number} are the same."
            saved.problems.append(Problem(None, f"line {number}", problem, "Taken once.", fatal=False))
        found[mark] = (number, mark, line)
    if not run.fresh:
        query = sa.select(scenes.c.hash).where(
            scenes.c.source_id == run.source_id,
            scenes.c.hash == sa.any_(sa.cast(list(found), sa.ARRAY(scenes.c.hash.type))),
        )
        work.untouched = [str(mark) for mark in connection.execute(query).scalars()]
        saved.unchanged += len(work.untouched)
        for mark in work.untouched:
            found.pop(mark, None)
    return list(found.values())


def _pairs(keys: list[Key]) -> Any:
    """Keys as rows of a query: two arrays side by side."""
    arrays = [sa.cast([key[n] for key in keys], sa.ARRAY(sa.Text)) for n in (0, 1)]
    return sa.func.unnest(*arrays).table_valued("collection", "id", name="asked").render_derived()


def _known(connection: Any, keys: list[Key]) -> dict[Key, tuple[str, tally.Kind]]:
    """Of what the store has: its hash, and how it is counted."""
    if not keys:
        return {}
    asked = _pairs(keys)
    query = sa.select(scenes.c.collection, scenes.c.id, scenes.c.hash, *tally.KIND).select_from(
        asked.join(scenes, sa.and_(scenes.c.collection == asked.c.collection, scenes.c.id == asked.c.id))
    )
    return {(row[0], row[1]): (str(row[2]), (row[3], row[4], row[5])) for row in connection.execute(query)}


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
        copying.copy(connection, "scene", COLUMNS, rows)
        return
    connection.execute(sa.text("CREATE TEMPORARY TABLE incoming (LIKE scene INCLUDING DEFAULTS) ON COMMIT DROP"))
    copying.copy(connection, "incoming", COLUMNS, rows)
    names = ", ".join(COLUMNS)
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[2:], "updated"))
    statement = (
        f"INSERT INTO scene ({names}) SELECT {names} FROM incoming "  # noqa: S608  # names of our own columns
        f"ON CONFLICT (collection, id) DO UPDATE SET {updates}"
    )
    connection.execute(sa.text(statement))


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
