"""Doing a batch: row by row, each with its own commit, so that a kill loses nothing and one failure stops nothing."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ckan.plugins.toolkit as tk
import click
import sqlalchemy as sa
from ckan import model
from flask import current_app, has_request_context
from flask_babel import force_locale
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais.batch.model import Batch, BatchRow
from ckanext.dinamis_relais.batch.rules import DONE, FAILED, WAITING, Handler, Outcome, Row, seconds_left
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.rooms import collect
from ckanext.dinamis_relais.web import problems

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=60)
#: Rows that a worker does before it looks at deliveries again.
ROUND = 50
#: Batches with their results are kept this long.
KEPT = dt.timedelta(days=30)


def handler(kind: str) -> Handler:
    """The handler of a kind.

    :raises KeyError: no room offers it
    """
    return {h.name: h for h in collect("batches").values()}[kind]


def prepare(kind: str, params: dict[str, Any], rows: Sequence[Row], actor: str) -> Batch:
    """Keep a batch that a person may read before it is begun; the caller commits.

    :param kind: name of a handler
    :param actor: the CKAN user's id, in whose name it will be done
    """
    db = session()
    handler(kind)
    batch = Batch(id=new_id(), kind=kind, params=params, created_by=actor, created_at=utcnow(), state="prepared",
                  locale=str(tk.h.lang() or "fr") if tk.request else "fr")  # fmt: skip
    db.add(batch)
    db.flush()
    values = [
        {"batch_id": batch.id, "position": n, "subject": r.subject, "payload": r.payload, "status": r.status,
         "message": r.message, "object_id": r.object_id}
        for n, r in enumerate(rows)
    ]  # fmt: skip
    if values:
        db.execute(sa.insert(BatchRow.__table__), values)
    return batch


def begin(batch: Batch) -> None:
    """Let a prepared batch be worked on, by a worker or by :func:`run_inline`; the caller commits."""
    batch.state, batch.started_at = "running", utcnow()
    record(Event.BATCH_STARTED, batch.created_by, "batch", batch.id, None, kind=batch.kind, **batch.params)


def _lease(batch_id: str | None) -> str | None:
    """Take a running batch that nobody works on.

    :param batch_id: this one; None for the oldest
    """
    db, now = session(), utcnow()
    query = sa.select(Batch).where(
        Batch.state == "running", sa.or_(Batch.lease_until.is_(None), Batch.lease_until < now)
    )
    if batch_id:
        query = query.where(Batch.id == batch_id)
    row = db.execute(query.order_by(Batch.created_at).limit(1).with_for_update(skip_locked=True)).scalar_one_or_none()
    if row is None:
        db.rollback()
        return None
    row.lease_until = now + LEASE
    db.commit()
    return row.id


def _context(batch: Batch) -> dict[str, Any]:
    user = session().get(model.User, batch.created_by, populate_existing=True)
    return {"user": user.name if user else "", "auth_user_obj": user, "model": model, "session": model.Session}


def _attempt(found: Handler, row: BatchRow, batch: Batch) -> Outcome:
    try:
        return found.run(dict(row.payload or {}), dict(batch.params), _context(batch))
    except tk.ValidationError as error:
        return Outcome(FAILED, " ".join(problems(error)), row.object_id)
    except (tk.NotAuthorized, tk.ObjectNotFound) as error:
        return Outcome(FAILED, str(error) or tk._("You may not do this."), row.object_id)
    except SQLAlchemyError:
        log.exception("batch %s, row %s", batch.id, row.position)
        return Outcome(FAILED, tk._("The database refused it. It is told in the site's log."), row.object_id)


def _one(batch_id: str, position: int) -> bool:
    """Do one row.

    :returns: False when the batch was stopped meanwhile, and the row is left
    """
    db = session()
    query = sa.select(Batch, BatchRow).join(BatchRow, BatchRow.batch_id == Batch.id)
    query = query.where(Batch.id == batch_id, BatchRow.position == position, Batch.state == "running")
    found = db.execute(query.execution_options(populate_existing=True)).first()
    if found is None:
        return False
    batch, row = found
    outcome = _attempt(handler(batch.kind), row, batch)
    db.rollback()
    db.execute(
        sa.update(BatchRow)
        .where(BatchRow.batch_id == batch_id, BatchRow.position == position)
        .values(
            status=outcome.status,
            message=outcome.message,
            object_id=outcome.object_id or BatchRow.object_id,
            payload=None if outcome.status == DONE else BatchRow.payload,
            done_at=utcnow(),
        )
        .execution_options(synchronize_session=False)
    )
    db.execute(sa.update(Batch).where(Batch.id == batch_id).values(lease_until=utcnow() + LEASE)
               .execution_options(synchronize_session=False))  # fmt: skip
    db.commit()
    return True


def _finish(batch_id: str) -> None:
    db = session()
    db.execute(
        sa.update(Batch)
        .where(Batch.id == batch_id, Batch.state == "running")
        .values(state="finished", finished_at=utcnow(), lease_until=None)
        .execution_options(synchronize_session=False)
    )
    db.commit()


def _some(batch_id: str, limit: int | None) -> int:
    """Do rows of a batch that we hold.

    :returns: how many were done; it is finished when there were fewer than ``limit``
    """
    query = sa.select(BatchRow.position).where(BatchRow.batch_id == batch_id, BatchRow.status == WAITING)
    positions = list(session().execute(query.order_by(BatchRow.position).limit(limit)).scalars())
    for position in positions:
        if not _one(batch_id, position):
            session().rollback()
            return len(positions)
    if limit is None or len(positions) < limit:
        _finish(batch_id)
    else:
        session().execute(sa.update(Batch).where(Batch.id == batch_id).values(lease_until=None)
                          .execution_options(synchronize_session=False))  # fmt: skip
        session().commit()
    return len(positions)


def run_inline(batch_id: str) -> None:
    """Do a whole batch now, unless a worker has it already."""
    taken = _lease(batch_id)
    if taken:
        _some(taken, None)


def request_around() -> AbstractContextManager[Any]:
    """The present request; or where none is, in the worker, one of no page's, for what asks CKAN for addresses."""
    if has_request_context():
        return nullcontext()
    application = current_app if current_app else click.get_current_context().meta["flask_app"]
    return application.test_request_context()


def run_round() -> int:
    """A worker's round: some rows of the oldest batch that waits, in the language of the person who began it.

    :returns: how many rows were done; 0 when nothing waits
    """
    taken = _lease(None)
    if taken is None:
        return 0
    locale = session().get(Batch, taken).locale
    with request_around(), force_locale(locale):
        return max(1, _some(taken, ROUND))


def counts(batch_id: str) -> dict[str, int]:
    """Rows of a batch by status."""
    query = sa.select(BatchRow.status, sa.func.count()).where(BatchRow.batch_id == batch_id)
    return dict(session().execute(query.group_by(BatchRow.status)).all())


def summary(batch: Batch) -> dict[str, Any]:
    """A batch as it is shown: how far it is, and how long the rest takes."""
    by_status = counts(batch.id)
    total, waiting = sum(by_status.values()), by_status.get(WAITING, 0)
    worked = by_status.get(DONE, 0) + by_status.get(FAILED, 0)
    elapsed = (utcnow() - batch.started_at).total_seconds() if batch.started_at else 0.0
    return {
        "id": batch.id,
        "kind": batch.kind,
        "state": batch.state,
        "title": handler(batch.kind).title(batch.params),
        "params": batch.params,
        "created_by": batch.created_by,
        "total": total,
        "counts": by_status,
        "waiting": waiting,
        "seconds_left": seconds_left(worked, worked + waiting, elapsed) if batch.state == "running" else None,
        **{key: isoformat(getattr(batch, key)) for key in ("created_at", "started_at", "finished_at")},
    }


def wipe_old() -> int:
    """Delete batches whose results nobody needs any more; the caller commits.

    :returns: how many
    """
    query = sa.delete(Batch).where(Batch.created_at < utcnow() - KEPT, Batch.state != "running")
    return session().execute(query.execution_options(synchronize_session=False)).rowcount
