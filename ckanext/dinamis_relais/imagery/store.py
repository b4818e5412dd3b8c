"""Scenes into the store: a page is compared by hash, what changed is loaded by COPY, the cursor moves on.

All of a page happens in one transaction with the run's counters and its cursor, so an interruption anywhere
loses nothing and counts nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais.imagery.model import collections, problems, runs, scenes, seen
from ckanext.dinamis_relais.imagery.normalise import Problem, Scene, fingerprint, normalise
from ckanext.dinamis_relais.imagery.source import Page, Request

#: An interrupted listing is gone on with for this long; then the source may have changed too much.
RESUME_WITHIN = dt.timedelta(hours=24)
#: Runs of a collection whose problems are kept.
RUNS_KEPT = 10

_COLUMNS = (
    "collection", "id", "datetime", "end_datetime", "cloud", "platform", "gsd", "source_id", "hash", "geom",
    "item",
)  # fmt: skip


class CollectionTaken(Exception):
    """Another harvest source already feeds a collection of this id."""


@dataclass
class Run:
    """A listing of one collection, new or gone on with.

    :ivar request: what to ask next; None when everything was listed
    :ivar resumed: True when an interrupted listing goes on
    """

    id: int
    source_id: str
    collection: str
    request: Request | None
    resumed: bool


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


@dataclass(frozen=True)
class Outcome:
    """How a complete listing ended.

    :ivar vanished: scenes deleted since the source lists them no more
    :ivar kept: scenes that vanished but were kept, too many to believe without a confirmation
    :ivar share: vanished share of the collection, 0 to 1
    """

    vanished: int
    kept: int
    share: float


@contextmanager
def one_at_a_time(engine: Any, source_id: str, collection: str) -> Iterator[None]:
    """Hold the collection's lock: a job sent to two workers is done by one, the other waits for it."""
    with engine.connect() as connection:
        key = {"key": f"dinamis:{source_id}:{collection}"}
        connection.execute(sa.text("SELECT pg_advisory_lock(hashtext(:key))"), key)
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(hashtext(:key))"), key)
            connection.commit()


def save_collection(
    engine: Any, source_id: str, source_url: str, body: dict[str, Any], asset_roles: dict[str, list[str]]
) -> None:
    """Keep what the source says about a collection.

    :param body: a STAC collection; keys that start with ``_`` are ours and are left out
    :param asset_roles: role → candidate asset keys, as the source's configuration says
    :raises CollectionTaken: two sources would mix their scenes under one id
    """
    kept = {key: value for key, value in body.items() if not key.startswith("_")}
    values = {
        "id": body["id"], "source_id": source_id, "source_url": source_url, "body": kept,
        "asset_roles": asset_roles,
    }  # fmt: skip
    with engine.begin() as connection:
        query = sa.select(collections.c.source_id, collections.c.source_url)
        query = query.where(collections.c.id == body["id"])
        row = connection.execute(query.with_for_update()).first()
        if row and row.source_id != source_id:
            raise CollectionTaken(
                f"The collection '{body['id']}' is already harvested from {row.source_url}. "
                "Leave it out of this source (collections), or clear the other source first."
            )
        statement = insert(collections).values(values)
        updated = {**values, "updated": sa.func.now()}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=updated))


def open_run(
    engine: Any,
    source_id: str,
    collection: str,
    first: Request,
    job_id: str | None = None,
    fresh: bool = False,
) -> Run | None:
    """Go on with a listing that was interrupted, or start one.

    :param first: the listing's first request; another one (the configuration changed) never resumes
    :param fresh: True to start anew whatever there is
    :returns: None when another worker has already completed this job's listing
    """
    mark = first.digest.hex()
    of_this = sa.and_(runs.c.source_id == source_id, runs.c.collection == collection)
    with engine.begin() as connection:
        last = connection.execute(sa.select(runs).where(of_this).order_by(runs.c.id.desc()).limit(1)).first()
        if last is not None and last.state == "complete" and job_id and last.job_id == job_id:
            return None
        recent = dt.datetime.now(dt.timezone.utc) - RESUME_WITHIN
        open_ = last is not None and last.state in ("running", "interrupted") and last.updated > recent
        if last is not None and open_ and last.fingerprint == mark and not fresh:
            change = {"state": "running", "job_id": job_id, "message": None, "updated": sa.func.now()}
            connection.execute(runs.update().where(runs.c.id == last.id).values(change))
            return Run(last.id, source_id, collection, Request(**last.cursor) if last.cursor else None, True)
        unfinished = sa.and_(of_this, runs.c.state.in_(("running", "interrupted")))
        connection.execute(runs.update().where(unfinished).values(state="abandoned"))
        values = {
            "source_id": source_id, "collection": collection, "job_id": job_id, "fingerprint": mark,
            "cursor": first.as_dict(),
        }  # fmt: skip
        run_id = connection.execute(runs.insert().values(values).returning(runs.c.id)).scalar_one()
    return Run(run_id, source_id, collection, first, False)


def save_page(engine: Any, run: Run, page: Page) -> Saved:
    """Take in one page and move the cursor behind it, in one transaction.

    :returns: what was new, changed, unchanged, repeated, and every problem
    """
    saved = Saved(listed=len(page.items))
    raw, marks = _by_id(page, saved)
    with engine.begin() as connection:
        known = _known(connection, run.collection, list(marks))
        saved.repeated = _note_seen(connection, run.id, list(raw))
        wanted = [item_id for item_id, mark in marks.items() if known.get(item_id) != mark]
        rows: list[tuple[Scene, str]] = []
        for item_id in wanted:
            result = normalise(raw[item_id], run.collection, page.url)
            saved.problems += result.problems
            if result.scene:
                rows.append((result.scene, marks[item_id]))
        _load(connection, run.source_id, rows, replace=bool(known))
        saved.changed = sum(1 for scene, _ in rows if scene.id in known)
        saved.created = len(rows) - saved.changed
        saved.unchanged = len(marks) - len(wanted)
        _note_problems(connection, run.id, saved.problems)
        _move_on(connection, run.id, page, saved)
    return saved


def _by_id(page: Page, saved: Saved) -> tuple[dict[str, Any], dict[str, str]]:
    """Items and hashes by id; what has no id, or comes twice on the page, is a problem."""
    raw: dict[str, Any] = {}
    marks: dict[str, str] = {}
    for item in page.items:
        if not isinstance(item, dict) or item.get("id") in (None, ""):
            saved.problems += normalise(item, "").problems
            continue
        item_id = str(item["id"])
        if "\x00" in item_id:
            saved.problems.append(Problem(repr(item_id), "id", "It holds a NUL character.", "Remove it."))
            continue
        if item_id in raw:
            saved.problems.append(
                Problem(item_id, "id", "The page lists it twice.", "The last one was kept.", fatal=False)
            )
        raw[item_id] = item
        try:
            marks[item_id] = fingerprint(item)
        except orjson.JSONEncodeError as error:
            marks.pop(item_id, None)
            saved.problems.append(Problem(item_id, "item", f"It is no valid JSON ({error}).", "Correct it."))
    return raw, marks


def _known(connection: Any, collection: str, ids: list[str]) -> dict[str, str]:
    query = sa.select(scenes.c.id, scenes.c.hash).where(
        scenes.c.collection == collection, scenes.c.id == sa.any_(sa.cast(ids, sa.ARRAY(sa.Text)))
    )
    return {item_id: str(mark) for item_id, mark in connection.execute(query)}


def _note_seen(connection: Any, run_id: int, ids: list[str]) -> int:
    """Remember what the run has listed; returns how many of them it had listed before."""
    query = sa.select(seen.c.id).where(seen.c.run_id == run_id, seen.c.id == sa.any_(sa.cast(ids, sa.ARRAY(sa.Text))))
    before = set(connection.execute(query).scalars())
    lines = StringIO("".join(f"{run_id}\t{_escaped(item_id)}\n" for item_id in ids if item_id not in before))
    _copy(connection, "COPY harvest_seen (run_id, id) FROM STDIN", lines)
    return len(before)


def _load(connection: Any, source_id: str, rows: list[tuple[Scene, str]], replace: bool) -> None:
    """COPY scenes in: straight into the table when none was known, else through a temporary one."""
    if not rows:
        return
    lines = StringIO("".join(_line(scene, mark, source_id) for scene, mark in rows))
    names = ", ".join(_COLUMNS)
    if not replace:
        _copy(connection, f"COPY scene ({names}) FROM STDIN", lines)
        return
    connection.execute(sa.text("CREATE TEMPORARY TABLE incoming (LIKE scene INCLUDING DEFAULTS) ON COMMIT DROP"))
    _copy(connection, f"COPY incoming ({names}) FROM STDIN", lines)
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS[2:], "updated"))
    statement = (
        f"INSERT INTO scene ({names}) SELECT {names} FROM incoming "  # noqa: S608  # names of our own columns
        f"ON CONFLICT (collection, id) DO UPDATE SET {updates}"
    )
    connection.execute(sa.text(statement))


def _copy(connection: Any, statement: str, lines: StringIO) -> None:
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(statement, lines)


def _line(scene: Scene, mark: str, source_id: str) -> str:
    """One line of COPY's text format, in the order of ``_COLUMNS``."""
    values = (
        scene.collection, scene.id, scene.moment.isoformat(), scene.end.isoformat(), scene.cloud,
        scene.platform, scene.gsd, source_id, mark, scene.wkb, scene.item,
    )  # fmt: skip
    return "\t".join("\\N" if value is None else _escaped(str(value)) for value in values) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _note_problems(connection: Any, run_id: int, found: list[Problem]) -> None:
    if found:
        names = ("item_id", "field", "problem", "remedy", "fatal")
        values = [{"run_id": run_id, **{name: getattr(one, name) for name in names}} for one in found]
        connection.execute(problems.insert(), values)


def _move_on(connection: Any, run_id: int, page: Page, saved: Saved) -> None:
    counters = ("listed", "created", "changed", "unchanged")
    change = {name: runs.c[name] + getattr(saved, name) for name in counters}
    values = {
        **change, "pages": runs.c.pages + 1, "problems": runs.c.problems + len(saved.problems),
        "cursor": page.next.as_dict() if page.next else sa.null(),
        "matched": sa.func.coalesce(page.matched, runs.c.matched), "updated": sa.func.now(),
    }  # fmt: skip
    connection.execute(runs.update().where(runs.c.id == run_id).values(values))


def interrupt(engine: Any, run: Run, message: str) -> None:
    """Leave a run for the next job to go on with; what it loaded stays."""
    change = {"state": "interrupted", "message": message, "updated": sa.func.now()}
    with engine.begin() as connection:
        connection.execute(runs.update().where(runs.c.id == run.id).values(change))


def finish(engine: Any, run: Run, max_vanished: float) -> Outcome:
    """End a complete listing: delete what vanished, unless it is more than may vanish.

    :param max_vanished: share of the collection's scenes, 0 to 1, that may go without a confirmation
    """
    mine = sa.and_(scenes.c.source_id == run.source_id, scenes.c.collection == run.collection)
    gone = sa.and_(mine, ~sa.exists().where(seen.c.run_id == run.id, seen.c.id == scenes.c.id).correlate(scenes))
    with engine.begin() as connection:
        total = connection.execute(sa.select(sa.func.count()).where(mine).select_from(scenes)).scalar_one()
        missing = connection.execute(sa.select(sa.func.count()).where(gone).select_from(scenes)).scalar_one()
        share = missing / total if total else 0.0
        believed = share <= max_vanished
        if missing and believed:
            connection.execute(scenes.delete().where(gone))
        outcome = Outcome(missing if believed else 0, 0 if believed else missing, share)
        change = {
            "state": "complete", "finished": sa.func.now(), "updated": sa.func.now(), "cursor": sa.null(),
            "vanished": outcome.vanished, "kept": outcome.kept,
        }  # fmt: skip
        connection.execute(runs.update().where(runs.c.id == run.id).values(change))
        _forget(connection, run)
    return outcome


def _forget(connection: Any, run: Run) -> None:
    """Drop what only an unfinished run needs, and the problems of runs long past."""
    of_this = sa.and_(runs.c.source_id == run.source_id, runs.c.collection == run.collection)
    connection.execute(seen.delete().where(seen.c.run_id.in_(sa.select(runs.c.id).where(of_this))))
    past = sa.select(runs.c.id).where(of_this).order_by(runs.c.id.desc()).offset(RUNS_KEPT)
    connection.execute(problems.delete().where(problems.c.run_id.in_(past)))


def clear(engine: Any, source_id: str) -> int:
    """Drop all that a harvest source brought: scenes, collections, runs; returns how many scenes.

    :param source_id: id of the harvest source
    """
    mine = sa.select(runs.c.id).where(runs.c.source_id == source_id)
    with engine.begin() as connection:
        connection.execute(seen.delete().where(seen.c.run_id.in_(mine)))
        connection.execute(problems.delete().where(problems.c.run_id.in_(mine)))
        connection.execute(runs.delete().where(runs.c.source_id == source_id))
        dropped = connection.execute(scenes.delete().where(scenes.c.source_id == source_id)).rowcount
        connection.execute(collections.delete().where(collections.c.source_id == source_id))
    return dropped
