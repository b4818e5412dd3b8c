"""What waits for PIGMA now: of each kind how many, since when the oldest waits, and how many are late."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.delivery import targets
from ckanext.dinamis_relais.gateway.model import DeliveryTarget, Sending, SendingRow
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.membership.model import Application
from ckanext.dinamis_relais.overview import health
from ckanext.dinamis_relais.questions.model import Question
from ckanext.dinamis_relais.use_cases.model import UseCase

#: Kind → the table, the states in which its things wait, whether it is PIGMA's turn.
WAITING: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "files": (Application, ("signed", "under_review"), True),
    "drafts": (Application, ("draft",), True),
    "details": (Application, ("deferred",), True),
    "accounts": (Account, ("requested",), True),
    "requests": (ImageryRequest, ("received", "held"), True),
    "questions": (Question, ("open",), True),
    "use_cases": (UseCase, ("proposed",), True),
    "signatures": (Application, ("awaiting_signature",), False),
    "board": (Application, ("submitted",), False),
    "accounts_at_dinamis": (Account, ("validated",), False),
    "requests_at_dinamis": (ImageryRequest, ("accepted", "scheduled", "processing"), False),
    "questions_at_dinamis": (Question, ("escalated",), False),
}


def _late_clause(kind: str, model: Any) -> Any:
    """SQL: it has waited for too long. A file has a date of its own, questions a delay of their own."""
    now = utcnow()
    days = config.question_late_days() if kind == "questions" else config.late_days()
    waited = model.state_since < now - dt.timedelta(days=days) if days > 0 else sa.false()
    return sa.or_(waited, model.due_at < now) if model is Application else waited


def _waiting() -> list[dict[str, Any]]:
    """A row of each kind, by one statement: each on its own costs more to ask than to answer."""
    asked = []
    for kind, (model, states, _ours) in WAITING.items():
        late = sa.func.count().filter(_late_clause(kind, model))
        columns = sa.literal(kind).label("kind"), sa.func.count(), late, sa.func.min(model.state_since)
        asked.append(sa.select(*columns).where(model.state.in_(states)))
    found = {row[0]: row[1:] for row in session().execute(sa.union_all(*asked))}
    return [
        {"kind": kind, "ours": ours, "count": found[kind][0], "late": found[kind][1],
         "oldest": isoformat(found[kind][2]), "states": states}
        for kind, (_model, states, ours) in WAITING.items()
    ]  # fmt: skip


def _failed_deliveries() -> dict[str, Any]:
    asked = [(target.model, target.model.failed_at) for target in targets()]
    asked += [(DeliveryTarget, DeliveryTarget.stopped_at)]
    queries = [
        sa.select(sa.func.count(), sa.func.min(since)).select_from(model).where(since.is_not(None))
        for model, since in asked
    ]
    rows = session().execute(sa.union_all(*queries)).all()
    count, oldest = sum(number for number, _since in rows), min((since for _n, since in rows if since), default=None)
    # Nothing that failed leaves again by itself: it is late at once.
    return {"kind": "deliveries", "ours": True, "count": count, "late": count, "oldest": isoformat(oldest),
            "states": ("failed",)}  # fmt: skip


def _confirmations() -> dict[str, Any]:
    """What left with grouped mails and DINAMIS has not answered."""
    now, days = utcnow(), config.late_days()
    late = Sending.created_at < now - dt.timedelta(days=days) if days > 0 else sa.false()
    columns = sa.func.count(), sa.func.count().filter(late), sa.func.min(Sending.created_at)
    query = sa.select(*columns).join(SendingRow, SendingRow.sending_id == Sending.id)
    count, overdue, oldest = session().execute(query.where(SendingRow.outcome == "waiting")).one()
    return {"kind": "confirmations", "ours": False, "count": count, "late": overdue, "oldest": isoformat(oldest),
            "states": ("waiting",)}  # fmt: skip


def _failed_harvests() -> dict[str, Any]:
    failed = [run for run in health.harvests() if run["errors"]]
    oldest = min((run["finished"] for run in failed if run["finished"]), default=None)
    return {"kind": "harvests", "ours": True, "count": len(failed), "late": len(failed), "oldest": isoformat(oldest),
            "states": ()}  # fmt: skip


@tk.side_effect_free
def dinamis_todo_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What waits, for PIGMA (``ours``) and for others, each kind with its oldest and how many are late.

    A file is late after its due date, a question after ``question_late_days``, the rest after ``late_days``.

    :returns: ``{"count", "late", "results"}``; each ``{"kind", "ours", "count", "late", "oldest", "states"}``; the sums
        are PIGMA's own
    """
    tk.check_access("dinamis_todo_show", context, data_dict)
    found = [*_waiting(), _confirmations(), _failed_deliveries(), _failed_harvests()]
    own = [row for row in found if row["ours"]]
    return {"count": sum(row["count"] for row in own), "late": sum(row["late"] for row in own), "results": found}
