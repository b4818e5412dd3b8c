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
from ckanext.dinamis_relais.gateway.model import DeliveryTarget
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.membership.model import Application
from ckanext.dinamis_relais.overview import health
from ckanext.dinamis_relais.questions.model import Question

#: Kind → the table, the states in which its things wait, whether it is PIGMA's turn.
WAITING: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "files": (Application, ("signed", "under_review"), True),
    "drafts": (Application, ("draft",), True),
    "details": (Application, ("deferred",), True),
    "accounts": (Account, ("requested",), True),
    "requests": (ImageryRequest, ("received", "held"), True),
    "questions": (Question, ("open",), True),
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


def _waiting(kind: str) -> dict[str, Any]:
    model, states, ours = WAITING[kind]
    late = sa.func.count().filter(_late_clause(kind, model))
    query = sa.select(sa.func.count(), late, sa.func.min(model.state_since)).where(model.state.in_(states))
    count, overdue, oldest = session().execute(query).one()
    return {"kind": kind, "ours": ours, "count": count, "late": overdue, "oldest": isoformat(oldest), "states": states}


def _failed_deliveries() -> dict[str, Any]:
    count, oldest = 0, None
    for target in targets():
        query = sa.select(sa.func.count(), sa.func.min(target.model.failed_at)).where(
            target.model.failed_at.is_not(None)
        )
        number, since = session().execute(query).one()
        count, oldest = count + number, min((one for one in (oldest, since) if one), default=None)
    stopped = sa.select(sa.func.count(), sa.func.min(DeliveryTarget.stopped_at))
    number, since = session().execute(stopped.where(DeliveryTarget.stopped_at.is_not(None))).one()
    count, oldest = count + number, min((one for one in (oldest, since) if one), default=None)
    # Nothing that failed leaves again by itself: it is late at once.
    return {"kind": "deliveries", "ours": True, "count": count, "late": count, "oldest": isoformat(oldest),
            "states": ("failed",)}  # fmt: skip


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
    found = [*(_waiting(kind) for kind in WAITING), _failed_deliveries(), _failed_harvests()]
    own = [row for row in found if row["ours"]]
    return {"count": sum(row["count"] for row in own), "late": sum(row["late"] for row in own), "results": found}
