"""Runs of the scene store: a listing is opened, gone on with, ended; what vanished is deleted then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais.imagery import extents, tally
from ckanext.dinamis_relais.imagery.loading import Run, Saved, commit, compare, save_page
from ckanext.dinamis_relais.imagery.model import collections, problems, properties, runs, scenes, seen, untouched
from ckanext.dinamis_relais.imagery.normalise import NAVIGATION
from ckanext.dinamis_relais.imagery.reading import WHOLE_FILE
from ckanext.dinamis_relais.imagery.source import Request, years_of

__all__ = ["WHOLE_FILE", "Run", "Saved", "commit", "compare", "save_page"]

#: An interrupted listing is gone on with for this long; then the source may have changed too much.
RESUME_WITHIN = dt.timedelta(hours=24)
#: Runs of a collection whose problems are kept.
RUNS_KEPT = 10
#: Links of a collection that are kept; a real one has a dozen.
MOST_LINKS = 100
#: Rows written in one listing from which on PostgreSQL's planner is told at once.
MANY = 1000
#: Scenes of a listing from which on it is compared by hashes only.
COMPARED = 10_000
#: One in so many that was written changes no statistics; PostgreSQL itself looks again after as many.
FEW = 10


class CollectionTaken(Exception):
    """Another harvest source already feeds a collection of this id."""


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
def one_at_a_time(engine: Any, source_id: str, collection: str, part: str = "") -> Iterator[None]:
    """Hold the lock of a collection or of a part of it: of two workers with one job, one works, the other waits."""
    with engine.connect() as connection:
        key = {"key": f"dinamis:{source_id}:{collection}" + (f":{part}" if part else "")}
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
    if isinstance(kept.get("links"), list):
        # A static catalogue names each of its items here: perhaps a million.
        links = [link for link in kept["links"] if isinstance(link, dict) and link.get("rel") not in NAVIGATION]
        kept["links"] = links[:MOST_LINKS]
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
    part: str = "",
) -> Run | None:
    """Go on with a listing that was interrupted, or start one.

    :param first: the listing's first request; another one (the configuration changed) never resumes
    :param fresh: True to start anew whatever there is
    :param part: years that the listing is limited to, ``2019``, ``/2016`` (until) or ``2024/`` (from)
    :returns: None when another worker has already completed this job's listing
    """
    mark = first.digest.hex()
    of_this = sa.and_(runs.c.source_id == source_id, runs.c.collection == collection, runs.c.part == part)
    with engine.begin() as connection:
        last = connection.execute(sa.select(runs).where(of_this).order_by(runs.c.id.desc()).limit(1)).first()
        if last is not None and last.state == "complete" and job_id and last.job_id == job_id:
            return None
        recent = dt.datetime.now(dt.timezone.utc) - RESUME_WITHIN
        open_ = last is not None and last.state in ("running", "interrupted") and last.updated > recent
        if last is not None and open_ and last.fingerprint == mark and not fresh:
            change = {"state": "running", "job_id": job_id, "message": None, "updated": sa.func.now()}
            connection.execute(runs.update().where(runs.c.id == last.id).values(change))
            request = Request(**last.cursor) if last.cursor else None
            return Run(last.id, source_id, collection, request, True, part, last.fresh)
        unfinished = sa.and_(of_this, runs.c.state.in_(("running", "interrupted")))
        connection.execute(runs.update().where(unfinished).values(state="abandoned"))
        values = {
            "source_id": source_id, "collection": collection, "job_id": job_id, "fingerprint": mark,
            "cursor": first.as_dict(), "part": part,
        }  # fmt: skip
        some = sa.select(scenes.c.id).where(_listed_in(source_id, collection)).limit(1)
        values["fresh"] = not part and connection.execute(some).first() is None
        run_id = connection.execute(runs.insert().values(values).returning(runs.c.id)).scalar_one()
    return Run(run_id, source_id, collection, first, False, part, values["fresh"])


def interrupt(engine: Any, run: Run, message: str) -> None:
    """Leave a run for the next job to go on with; what it loaded stays."""
    change = {"state": "interrupted", "message": message, "updated": sa.func.now()}
    with engine.begin() as connection:
        connection.execute(runs.update().where(runs.c.id == run.id).values(change))


def finish(engine: Any, run: Run, max_vanished: float) -> Outcome:
    """End a complete listing: delete what vanished, unless it is more than may vanish.

    :param max_vanished: share of the collection's scenes, 0 to 1, that may go without a confirmation
    """
    with engine.begin() as connection:
        counts = sa.select(runs.c.listed, runs.c.created + runs.c.changed).where(runs.c.id == run.id)
        listed, written = connection.execute(counts).one()
        _tell_planner(connection, 0 if run.fresh else listed, written)
        with _no_loops(connection, listed):
            # All that there is of a first listing, it has listed.
            missing, total = (0, 0) if run.fresh else _missing(connection, run)
            share = missing / total if total else 0.0
            believed = share <= max_vanished
            if missing and believed:
                tally.delete(connection, _gone(run))
        outcome = Outcome(missing if believed else 0, 0 if believed else missing, share)
        change = {
            "state": "complete", "finished": sa.func.clock_timestamp(), "updated": sa.func.clock_timestamp(),
            "cursor": sa.null(), "vanished": outcome.vanished, "kept": outcome.kept,
        }  # fmt: skip
        connection.execute(runs.update().where(runs.c.id == run.id).values(change))
        _forget(connection, run)
        if written or outcome.vanished:
            tally.sum_up(connection)
            of_source = collections.c.source_id == run.source_id
            one = run.collection != WHOLE_FILE
            extents.note(connection, sa.and_(of_source, collections.c.id == run.collection) if one else of_source)
    tally.shrink(engine)
    return outcome


def _mine(run: Run) -> Any:
    """SQL: a scene is of what a run lists."""
    mine = _listed_in(run.source_id, run.collection)
    start, end = years_of(run.part)
    if start is not None:
        mine = sa.and_(mine, scenes.c.datetime >= dt.datetime(start, 1, 1, tzinfo=dt.timezone.utc))
    if end is not None:
        mine = sa.and_(mine, scenes.c.datetime < dt.datetime(end + 1, 1, 1, tzinfo=dt.timezone.utc))
    return mine


def _gone(run: Run) -> Any:
    """SQL: a scene is of what a run lists, and was not listed."""
    same = (seen.c.run_id == run.id, seen.c.collection == scenes.c.collection, seen.c.id == scenes.c.id)
    marks = sa.select(sa.func.unnest(untouched.c.hashes).label("hash")).where(untouched.c.run_id == run.id).subquery()
    return sa.and_(
        _mine(run), ~sa.exists().where(*same).correlate(scenes),
        ~sa.exists().where(marks.c.hash == scenes.c.hash).correlate(scenes),
    )  # fmt: skip


def _missing(connection: Any, run: Run) -> tuple[int, int]:
    """How many scenes were not listed, and of how many."""
    missing, total = (sa.select(sa.func.count()).select_from(scenes).where(one) for one in (_gone(run), _mine(run)))
    return connection.execute(missing).scalar_one(), connection.execute(total).scalar_one()


def _listed_in(source_id: str, collection: str) -> Any:
    """SQL: a scene is of a source's collection, or of its file; a collection has one source."""
    mine = sa.select(collections.c.id).where(collections.c.source_id == source_id)
    return scenes.c.collection.in_(mine if collection == WHOLE_FILE else mine.where(collections.c.id == collection))


def _tell_planner(connection: Any, listed: int, written: int) -> None:
    """Statistics of what a large listing filled; without them the search for what vanished compares all with all.

    Of fewer rows than PostgreSQL takes by itself: it looks closer within a minute, and where each of 30,000 footprints
    lies takes longer than all else at the end of a listing.
    """
    connection.execute(sa.text("SET LOCAL default_statistics_target = 30"))
    for table, many, of in (("harvest_seen", listed, 0), ("scene", written, listed)):
        if many >= MANY and many * FEW > of:
            connection.execute(sa.text(f"ANALYZE {table}"))


@contextmanager
def _no_loops(connection: Any, listed: int) -> Iterator[None]:
    """Compare a large listing with what is there by hashes, never one by one.

    PostgreSQL takes an array of a page's hashes for ten of them: at 100,000 scenes it once chose to compare each with
    each, for three minutes.
    """
    if listed >= COMPARED:
        connection.execute(sa.text("SET LOCAL enable_nestloop = off"))
    yield
    connection.execute(sa.text("SET LOCAL enable_nestloop = on"))


def _forget(connection: Any, run: Run) -> None:
    """Drop what only an unfinished run needs, and the problems of runs long past."""
    of_this = sa.and_(
        runs.c.source_id == run.source_id, runs.c.collection == run.collection, runs.c.part == run.part
    )  # fmt: skip
    for noted in (seen, untouched):
        connection.execute(noted.delete().where(noted.c.run_id.in_(sa.select(runs.c.id).where(of_this))))
    past = sa.select(runs.c.id).where(of_this).order_by(runs.c.id.desc()).offset(RUNS_KEPT)
    connection.execute(problems.delete().where(problems.c.run_id.in_(past)))


def distrust(engine: Any, source_id: str) -> int:
    """Take nothing of a harvest source for known: its next listing reads and writes each scene anew.

    :returns: how many scenes
    """
    unfinished = sa.and_(runs.c.source_id == source_id, runs.c.state.in_(("running", "interrupted")))
    with engine.begin() as connection:
        connection.execute(runs.update().where(unfinished).values(state="abandoned"))
        other = scenes.update().where(_listed_in(source_id, WHOLE_FILE)).values(hash=sa.func.gen_random_uuid())
        return connection.execute(other).rowcount


def clear(engine: Any, source_id: str) -> int:
    """Drop all that a harvest source brought: scenes, collections, runs; returns how many scenes.

    :param source_id: id of the harvest source
    """
    mine = sa.select(runs.c.id).where(runs.c.source_id == source_id)
    with engine.begin() as connection:
        for noted in (seen, untouched, problems):
            connection.execute(noted.delete().where(noted.c.run_id.in_(mine)))
        connection.execute(runs.delete().where(runs.c.source_id == source_id))
        dropped = tally.delete(connection, _listed_in(source_id, WHOLE_FILE))
        tally.sum_up(connection)
        extents.forget(connection, collections.c.source_id == source_id)
        own = sa.select(collections.c.id).where(collections.c.source_id == source_id)
        connection.execute(properties.delete().where(properties.c.collection.in_(own)))
        connection.execute(collections.delete().where(collections.c.source_id == source_id))
    return dropped
