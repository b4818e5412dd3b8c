"""What each step of a request does, in order: all in the caller's transaction, no network."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import sendings
from ckanext.dinamis_relais.imagery_requests import letters
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest, RequestStep
from ckanext.dinamis_relais.imagery_requests.rules import AT_DINAMIS, BY_ARCHIVE, BY_CODE, MACHINE, OVER
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import Transition


def steps_of(request_id: str) -> list[RequestStep]:
    """The statuses that a request went through, the first one first."""
    query = sa.select(RequestStep).where(RequestStep.request_id == request_id).order_by(RequestStep.position)
    return list(session().execute(query).scalars())


def _add(
    request: ImageryRequest, side: str, actor: str | None, at: dt.datetime, code: str | None, reason: str | None
) -> None:
    count = sa.select(sa.func.count()).where(RequestStep.request_id == request.id)
    number = int(session().execute(count).scalar() or 0) + 1
    session().add(
        RequestStep(request_id=request.id, position=number, code=request.state, at=at, side=side, actor_id=actor,
                    reason_code=code, reason=reason)
    )  # fmt: skip
    session().flush()


def begin(request: ImageryRequest, told: bool = True) -> None:
    """Put a new request into the present transaction.

    :param told: whether PIGMA is written to: not when the person takes what the archive holds in the same breath
    """
    session().add(request)
    session().flush()
    _add(request, "person", request.user_id, request.state_since, None, None)
    if told:
        letters.send("request_received", request)
    record(Event.REQUEST_RECEIVED, request.user_id, "request", request.id, request.organization_id,
           km2=round(request.area_km2, 2), product=request.product)  # fmt: skip


def apply(
    request: ImageryRequest,
    name: str,
    actor: str,
    side: str,
    *,
    reason: str | None = None,
    reason_code: str | None = None,
    at: dt.datetime | None = None,
) -> Transition:
    """Take a request (its row locked) through one transition, with all that follows.

    :param name: a transition of ``rules.MACHINE``
    :param actor: as in ``journal.record``
    :param side: ``person``, ``pigma`` or ``dinamis``
    :param at: when it happened, where DINAMIS says so; now by default
    :raises machine.TransitionError: not possible from the present state
    """
    row = MACHINE.row(request.state, name)
    was_there = request.state in AT_DINAMIS
    request.state, request.state_since, request.updated_at = row.target, utcnow(), utcnow()
    if name in BY_ARCHIVE:
        request.by_archive = True
    # What is at DINAMIS, or was until now, is told to it; what DINAMIS said itself is not said back.
    said_there = was_there and name in BY_CODE.values() and config.gateway_transport() == "dossier"
    if said_there:  # where nothing comes back by itself, these are DINAMIS's words, recorded by hand
        sendings.confirmed_elsewhere("request", request.id, actor)
    elif side != "dinamis" and (row.target == "accepted" or was_there):
        request.owe()
    if request.state in OVER:
        request.next_poll_at = None
    session().flush()
    _add(request, side, actor if side != "dinamis" else None, at or utcnow(), reason_code, reason)
    if row.mail:
        letters.send(row.mail, request, reason, side == "dinamis")
    record(Event(row.event), actor, "request", request.id, request.organization_id, {"reason": reason},
           state_from=row.source, state_to=row.target, transition=name, reason_code=reason_code)  # fmt: skip
    return row
