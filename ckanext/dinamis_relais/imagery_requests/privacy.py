"""A person's requests for images among their data: given, and erased with their areas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais import journal
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import mailer, sendings
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest, RequestStep
from ckanext.dinamis_relais.imagery_requests.rules import OVER
from ckanext.dinamis_relais.imagery_requests.steps import steps_of
from ckanext.dinamis_relais.journal import Event, record


def _of(user_ids: Iterable[str], *, lock: bool = False) -> list[ImageryRequest]:
    query = sa.select(ImageryRequest).where(ImageryRequest.user_id.in_(set(user_ids)))
    query = query.order_by(ImageryRequest.created_at, ImageryRequest.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session().execute(query).scalars())


def _exported(row: ImageryRequest) -> dict[str, Any]:
    plain = ("id", "state", "title", "purpose", "area", "area_km2", "cloud", "product", "resolution", "answer",
             "answer_scenes", "reference")  # fmt: skip
    moments = ("starts_on", "ends_on", "created_at")
    return {
        **{name: getattr(row, name) for name in plain},
        **{name: isoformat(getattr(row, name)) for name in moments},
        "statuses": [
            {"code": step.code, "at": isoformat(step.at), "side": step.side, "reason": step.reason}
            for step in steps_of(row.id)
        ],
    }


def export(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The requests of some logins, each with its statuses."""
    return [_exported(row) for row in _of(user_ids)]


def erase_of(user_id: str, actor: str) -> int:
    """Erase a login's requests; the caller commits.

    What stays: statuses, dates, surface, product and the organisation, for quotas and figures. DINAMIS is sent the
    emptied request.

    :returns: how many
    """
    rows = _of([user_id], lock=True)
    for row in rows:
        _erase(row)
        record(Event.REQUEST_ERASED, actor, "request", row.id, row.organization_id)
    return len(rows)


def _erase(row: ImageryRequest) -> None:
    db = session()
    quietly: Any = {"synchronize_session": False}
    emptied = sa.update(RequestStep).where(RequestStep.request_id == row.id)
    db.execute(emptied.values(reason=None).execution_options(**quietly))
    own = emptied.where(RequestStep.side == "person")
    db.execute(own.values(actor_id=None).execution_options(**quietly))
    mailer.wipe("request", row.id)
    journal.erase_private("request", row.id)
    sendings.forget("request", row.id)
    if row.state not in OVER:
        row.state, row.state_since = "user_cancelled", utcnow()
        number = len(steps_of(row.id)) + 1
        db.add(RequestStep(request_id=row.id, position=number, code=row.state, side="person"))
    row.title = row.purpose = ""
    row.area, row.answer, row.archive, row.answer_scenes = None, None, {}, []
    row.user_id, row.erased_at, row.updated_at, row.next_poll_at = None, utcnow(), utcnow(), None
    if row.version:
        row.owe()
    db.flush()
