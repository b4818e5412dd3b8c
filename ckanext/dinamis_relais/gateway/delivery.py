"""The delivery worker's one round: claim, send, record (design, 6).

Each step is a transaction of its own, and none is open while the network is used. A crash between two of
them costs a repeated call, which the version and the idempotency key make harmless.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway.model import DeliveryTarget
from ckanext.dinamis_relais.gateway.targets import (
    Parcel,
    PassingError,
    RefusedError,
    StoppingError,
    Target,
    delay,
)
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.rooms import collect

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=120)
BATCH = 20


def targets() -> list[Target]:
    """All targets of all rooms; mail last, so that a decision and its message leave in one round."""
    return sorted(collect("deliverables").values(), key=lambda target: target.name == "mail")


def due_clause(model: Any) -> Any:
    """SQL: a row whose state is owed, or whose answer is awaited, and that may be tried now."""
    now = utcnow()
    owed = sa.and_(model.version > model.delivered_version, model.next_attempt_at <= now)
    awaited = sa.and_(model.version == model.delivered_version, model.next_poll_at <= now)
    free = sa.or_(model.lease_until.is_(None), model.lease_until < now)
    return sa.and_(sa.or_(owed, awaited), free, model.failed_at.is_(None))


def _stopped() -> set[str]:
    query = sa.select(DeliveryTarget.name).where(DeliveryTarget.stopped_at.is_not(None))
    return set(session().execute(query).scalars())


def _claim(target: Target) -> list[tuple[Parcel, dt.datetime]]:
    """Take due rows, commit the lease, give what leaves for each."""
    db = session()
    model = target.model
    query = sa.select(model).where(due_clause(model)).order_by(model.next_attempt_at).limit(BATCH)
    rows = db.execute(query.with_for_update(skip_locked=True)).scalars().all()
    lease = utcnow() + LEASE
    taken = []
    for row in rows:
        poll = row.version == row.delivered_version
        try:
            body = {} if poll else target.prepare(row)
        except Exception as error:  # one broken row must not hold up the others
            log.exception("%s %s cannot be prepared", target.name, row.id)
            record_failure(row, target, RefusedError(f"It could not be prepared: {type(error).__name__}."))
            continue
        row.lease_until = lease
        taken.append((Parcel(target.name, row.id, row.version, poll, body), lease))
    db.commit()
    return taken


def _locked(target: Target, parcel: Parcel, lease: dt.datetime) -> Any | None:
    """The row, locked, while our lease still holds; None when another worker has it now."""
    db = session()
    query = sa.select(target.model).where(target.model.id == parcel.id)
    row = db.execute(query.with_for_update().execution_options(populate_existing=True)).scalar_one_or_none()
    return row if row is not None and row.lease_until == lease else None


def _record(target: Target, parcel: Parcel, lease: dt.datetime, outcome: dict[str, Any] | Exception) -> None:
    row = _locked(target, parcel, lease)
    if row is None:
        session().rollback()
        return
    row.lease_until = None
    if isinstance(outcome, Exception):
        record_failure(row, target, outcome)
    else:
        row.attempts, row.last_error, row.next_poll_at = 0, None, None
        if not parcel.poll:
            row.delivered_version, row.delivered_at = parcel.version, utcnow()
            record(Event.DELIVERY_DONE, "system", target.name, row.id, version=parcel.version)
        # A newer state waits already: its own answer will tell, this one is out of date.
        if row.version == parcel.version:
            target.apply(row, outcome)
    session().commit()


def record_failure(row: Any, target: Target, error: Exception) -> None:
    """Note in a locked row that it did not leave, and when it is tried again; the caller commits."""
    row.attempts += 1
    row.last_error = str(error)
    if isinstance(error, PassingError):
        again = utcnow() + dt.timedelta(seconds=delay(row.attempts, error.retry_after))
        if row.version == row.delivered_version:
            row.next_poll_at = again
        row.next_attempt_at = again
        return
    if isinstance(error, StoppingError):
        stop = DeliveryTarget(name=target.name, stopped_at=utcnow(), reason=str(error))
        session().merge(stop)
        log.error("Deliveries of %s stop: %s", target.name, error)
    else:
        row.failed_at = utcnow()
    record(Event.DELIVERY_FAILED, "system", target.name, row.id, problem=type(error).__name__)


def _send(target: Target, parcel: Parcel) -> dict[str, Any] | Exception:
    try:
        return target.transport(parcel)
    except (PassingError, StoppingError, RefusedError) as error:
        log.warning("%s %s: %s", target.name, parcel.id, error)
        return error
    except Exception as error:  # one broken row must not hold up the others
        log.exception("%s %s: the transport failed", target.name, parcel.id)
        return RefusedError(f"It could not be sent: {type(error).__name__}.")


def deliver_once() -> int:
    """One round over all targets.

    :returns: how many parcels left or failed; 0 means that nothing was due
    """
    handled = 0
    for target in targets():
        if not target.enabled():
            continue
        if target.name in _stopped():
            session().rollback()
            continue
        for parcel, lease in _claim(target):
            handled += 1
            outcome = _send(target, parcel)
            try:
                _record(target, parcel, lease, outcome)
            except Exception as error:  # one broken row must not hold up the others
                log.exception("%s %s: the answer cannot be taken over", target.name, parcel.id)
                session().rollback()
                refused = RefusedError(f"The answer could not be taken over: {type(error).__name__}.")
                _record(target, parcel, lease, refused)
            if isinstance(outcome, StoppingError):
                break
    session().rollback()
    return handled
