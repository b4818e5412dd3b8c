"""Scenes into the store: what changed is found by hash, made ready, and loaded by COPY; the cursor moves on.

A page is taken in three steps, so that the next one can be read while PostgreSQL still loads this one: :func:`compare`
reads the store only, ``reading.make`` needs no store, :func:`commit` writes all of it in one transaction with the
run's counters and its cursor. An interruption anywhere loses nothing and counts nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sqlalchemy as sa
from psycopg2.errors import UniqueViolation
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import copying
from ckanext.dinamis_relais.imagery import tally
from ckanext.dinamis_relais.imagery.kinds import Kind
from ckanext.dinamis_relais.imagery.model import problems, properties, runs, scenes, seen, untouched
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.reading import COLUMNS, Key, Made, Members, Todo, by_key, make
from ckanext.dinamis_relais.imagery.source import Page, Request

#: Kinds of a property, as ``collection_property`` has them.
_KINDS = {str: "text", int: "number", float: "number", bool: "boolean", list: "list", dict: "object"}

#: Shapes of properties that a run remembers to have noted.
MOST_NOTED = 10_000

#: A page of a file of which less than one line in so many changed waits for the pages after it, and how many may wait.
LITTLE, MOST_JOINED = 10, 10


@dataclass
class Run:
    """A listing of one collection (or of a file), new or gone on with.

    :ivar request: what to ask next; None when everything was listed
    :ivar resumed: True when an interrupted listing goes on
    :ivar part: years that this listing is limited to (``2019`` or ``/2016``, ``2024/``), empty for all
    :ivar fresh: True when the store had nothing of it, and nobody else loads it now: what is there, this run has listed
    :ivar noted: shapes of properties that were noted already
    """

    id: int
    source_id: str
    collection: str
    request: Request | None
    resumed: bool
    part: str = ""
    fresh: bool = False
    noted: set[tuple[str, Members]] = field(default_factory=set)


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

    def plus(self, other: Saved) -> Saved:
        """Of both together."""
        return Saved(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


@dataclass
class Compared:
    """A page that was compared with the store, or some pages of a file, one after the other.

    :ivar todo: what is new or changed
    :ivar unchanged: keys of what the store has as it is
    :ivar untouched: hashes of a file's lines that are in the store as they are
    :ivar pages: how many there are; ``page`` is the last of them
    """

    page: Page
    saved: Saved
    todo: Todo
    unchanged: list[Key] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    pages: int = 1

    @property
    def is_little(self) -> bool:
        """Whether this is a page of a file that is not worth a transaction of its own."""
        of_a_file = self.page.lines is not None
        return of_a_file and self.pages < MOST_JOINED and len(self.todo.lines) * LITTLE < self.saved.listed

    def join(self, following: Compared) -> None:
        """Take in the page that follows: both are written at once."""
        self.page = replace(following.page, notes=self.page.notes + following.page.notes)
        self.saved = self.saved.plus(following.saved)
        self.todo.lines.extend(following.todo.lines)
        self.untouched.extend(following.untouched)
        self.pages += 1


def save_page(engine: Any, run: Run, page: Page) -> Saved:
    """Take in one page: :func:`compare`, ``reading.make`` and :func:`commit`."""
    work = compare(engine, run, page)
    with engine.connect() as connection:
        return commit(connection, run, work, make(work.todo))


def compare(engine: Any, run: Run, page: Page) -> Compared:
    """Find what of a page the store does not have as it is.

    Of what a page before has, and is not in the store yet, some may be found again: :func:`commit` sees it.
    """
    saved = Saved(listed=len(page.items) if page.lines is None else len(page.lines), problems=list(page.problems))
    base = page.url if page.url.startswith("http") else ""
    todo = Todo(run.source_id, base, run.collection, page.collections, page.wanted)
    work = Compared(page, saved, todo)
    if page.lines is not None:
        todo.lines.extend(_changed_lines(engine, run, work))
        return work
    items = by_key(run.collection, page.collections, ((item, None) for item in page.items), saved.problems)
    known = {}
    if not run.fresh:
        with engine.connect() as connection:
            known = _known(connection, list(items))
    for key, (item, mark) in items.items():
        if key in known and known[key][0] == mark:
            work.unchanged.append(key)
        else:
            todo.items[key] = item, mark
    saved.unchanged += len(work.unchanged)
    return work


def commit(connection: Any, run: Run, work: Compared, made: Made) -> Saved:
    """Write a page and move the cursor behind it, in one transaction.

    :param connection: of the store, in no transaction
    :param made: of ``work.todo``
    :returns: what was new, changed, unchanged, repeated, and every problem
    """
    work.saved.problems += made.problems
    if run.fresh:
        # A listing that never repeats itself is spared the question which of its scenes the store has.
        with suppress(UniqueViolation):
            return _write(connection, run, work, made, as_new=True)
    return _write(connection, run, work, made, as_new=False)


def _write(connection: Any, run: Run, work: Compared, made: Made, as_new: bool) -> Saved:
    """The transaction of :func:`commit`.

    :param as_new: whether to take all for new
    :raises psycopg2.errors.UniqueViolation: the store has one of them, and nothing was written
    """
    saved = work.saved
    with connection.begin():
        known = {} if as_new else _sort_out(connection, run, work, made)
        _load(connection, made.rows, replace=bool(known))
        saved.changed, saved.created = len(known), len(made.rows) - len(known)
        made.counts.subtract((key[0], kind) for key, (_mark, kind) in known.items())
        tally.add(connection, made.counts)
        _note_problems(connection, run.id, saved.problems)
        _note_properties(connection, made.members - run.noted)
        _move_on(connection, run.id, work)
    # One source may give each of a million scenes properties of its own: no more than some are remembered.
    run.noted = made.members if len(run.noted) > MOST_NOTED else run.noted | made.members
    return saved


def _sort_out(connection: Any, run: Run, work: Compared, made: Made) -> dict[Key, tuple[str, Kind]]:
    """Note what a page lists; of its rows, those leave that the store has as they are.

    :returns: what the store has otherwise: to be replaced
    """
    saved, rows = work.saved, made.rows
    known = _known(connection, list(rows))
    if run.fresh:
        # What cannot be used left no trace; where others of its page come again, it does too.
        before = {key for key in made.marks if key in known or key not in rows}
    else:
        before = _note_seen(connection, run.id, [*work.unchanged, *made.marks])
        _note_untouched(connection, run.id, work.untouched)
    saved.repeated = len(before)
    for key in [key for key, (mark, _kind) in known.items() if mark == made.marks[key]]:
        saved.unchanged += 1
        made.drop(key)
        del known[key]
    for key in before & rows.keys():
        remedy = "The last one was kept."
        saved.problems.append(Problem(key[1], "id", "It is listed twice, differently.", remedy, fatal=False))
    return known


def _changed_lines(engine: Any, run: Run, work: Compared) -> list[tuple[int, str, bytes]]:
    """The lines that the store does not have as they are, each with its number and hash."""
    saved = work.saved
    found: dict[str, tuple[int, str, bytes]] = {}
    # A line that is the same byte by byte need not even be read.
    for number, mark, line in work.page.lines or []:
        if mark in found:
            problem = f"Lines {found[mark][0]} and {number} are the same."
            saved.problems.append(Problem(None, f"line {number}", problem, "Taken once.", fatal=False))
        found[mark] = (number, mark, line)
    if not run.fresh:
        same = (scenes.c.source_id == run.source_id, scenes.c.hash == sa.any_(_uuids(found)))
        query = sa.select(sa.cast(sa.func.array_agg(scenes.c.hash), sa.Text)).where(*same)
        with engine.connect() as connection:
            known = connection.execute(query).scalar_one()
        work.untouched = known[1:-1].split(",") if known else []
        saved.unchanged += len(work.untouched)
        for mark in work.untouched:
            found.pop(mark, None)
    return list(found.values())


def _uuids(texts: Iterable[str]) -> Any:
    """SQL: an array, sent as one text: a list of a thousand would be looked at thing by thing on its way."""
    return sa.cast(sa.literal("{" + ",".join(texts) + "}", sa.Text), sa.ARRAY(scenes.c.hash.type))


def _pairs(keys: list[Key]) -> Any:
    """Keys as rows of a query: two arrays side by side."""
    arrays = [sa.cast([key[n] for key in keys], sa.ARRAY(sa.Text)) for n in (0, 1)]
    return sa.func.unnest(*arrays).table_valued("collection", "id", name="asked").render_derived()


def _known(connection: Any, keys: list[Key]) -> dict[Key, tuple[str, Kind]]:
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


def _note_untouched(connection: Any, run_id: int, marks: list[str]) -> None:
    """The same for lines known by their hash."""
    if marks:
        connection.execute(untouched.insert().values(run_id=run_id, hashes=_uuids(marks)))


def _load(connection: Any, lines: dict[Key, bytes], replace: bool) -> None:
    """COPY scenes in: straight into the table when none was known, else through a temporary one."""
    if not lines:
        return
    rows = copying.file(lines.values())
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


def _move_on(connection: Any, run_id: int, work: Compared) -> None:
    page, saved = work.page, work.saved
    counters = ("listed", "created", "changed", "unchanged")
    change = {name: runs.c[name] + getattr(saved, name) for name in counters}
    values = {
        **change, "pages": runs.c.pages + work.pages, "problems": runs.c.problems + len(saved.problems),
        "cursor": page.next.as_dict() if page.next else sa.null(),
        "matched": sa.func.coalesce(page.matched, runs.c.matched), "updated": sa.func.clock_timestamp(),
    }  # fmt: skip
    # The cursor commits with its page: a crash of the server loses both or none, so nothing need wait for the disk.
    hurry = sa.func.set_config("synchronous_commit", "off", True)
    connection.execute(runs.update().where(runs.c.id == run_id).values(values).returning(hurry))
