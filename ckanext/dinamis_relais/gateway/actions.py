"""Seeing what is owed, and trying again by hand."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.delivery import targets
from ckanext.dinamis_relais.gateway.model import DeliveryTarget, Mail, SendingRow
from ckanext.dinamis_relais.gateway.sending_actions import (
    dinamis_sending_answer,
    dinamis_sending_create,
    dinamis_sending_file,
    dinamis_sending_list,
    dinamis_sending_proof,
    dinamis_sending_show,
)
from ckanext.dinamis_relais.gateway.targets import Target
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.schema import list_schema, validated

__all__ = [
    "dinamis_delivery_list",
    "dinamis_delivery_retry",
    "dinamis_sending_answer",
    "dinamis_sending_create",
    "dinamis_sending_file",
    "dinamis_sending_list",
    "dinamis_sending_proof",
    "dinamis_sending_show",
]


def _awaited(target: Target, model: Any) -> Any:
    """SQL: the row's version left with a grouped mail, and DINAMIS has not confirmed it."""
    rows = sa.select(SendingRow.id).where(
        SendingRow.kind == target.name,
        SendingRow.object_id == model.id,
        SendingRow.version == model.version,
        SendingRow.outcome == "waiting",
    )
    return rows.exists()


def _state(target: Target, row: Any, awaited: bool) -> str:
    if row.failed_at:
        return "failed"
    if row.version > row.delivered_version:
        return "grouped" if target.group and config.gateway_transport() == "dossier" else "due"
    return "awaiting" if awaited else "delivered"


def _dictize(target: Target, row: Any, awaited: bool = False) -> dict[str, Any]:
    due = row.version > row.delivered_version
    state = _state(target, row, awaited)
    return {
        "id": row.id,
        "target": target.name,
        "state": state,
        "title": f"{row.subject} → {row.recipient}" if isinstance(row, Mail) else getattr(row, "siren", None) or row.id,
        "version": row.version,
        "delivered_version": row.delivered_version,
        "delivered_at": isoformat(row.delivered_at),
        "attempts": row.attempts,
        "next_attempt_at": isoformat(row.next_attempt_at) if due and state != "grouped" else None,
        "last_error": row.last_error,
    }


@tk.side_effect_free
def dinamis_delivery_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What is owed to DINAMIS and to people, the failed first.

    :param q: only this target (``application``, ``account``, ``mail`` …)
    :param state: ``due``, ``failed``, ``awaiting`` (left with a grouped mail, not confirmed) or ``delivered``; without
        it, due and failed
    :returns: ``{"count", "results", "stopped"}``; ``stopped`` names targets that wait for a person
    """
    tk.check_access("dinamis_delivery_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    state, count, results = params.get("state"), 0, []
    skip, room = params["offset"], params["limit"]
    for target in targets():
        if params.get("q") and params["q"] != target.name:
            continue
        model = target.model
        due = model.version > model.delivered_version
        clause = {
            "failed": model.failed_at.is_not(None),
            "due": sa.and_(due, model.failed_at.is_(None)),
            "awaiting": _awaited(target, model),
            "delivered": sa.and_(model.version > 0, sa.not_(due), model.failed_at.is_(None)),
        }.get(state or "", sa.or_(due, model.failed_at.is_not(None)))
        query = sa.select(model).where(clause)
        own = session().execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar() or 0
        count += own
        ordered = query.order_by(model.failed_at, model.next_attempt_at, model.id).limit(room).offset(skip)
        rows = session().execute(ordered.add_columns(_awaited(target, model))) if room and own > skip else ()
        found = [_dictize(target, row, awaited) for row, awaited in rows]
        skip, room = max(0, skip - own), room - len(found)
        results += found
    stopped = session().execute(sa.select(DeliveryTarget).where(DeliveryTarget.stopped_at.is_not(None))).scalars()
    return {
        "count": count,
        "results": results,
        "stopped": [{"target": t.name, "reason": t.reason, "stopped_at": isoformat(t.stopped_at)} for t in stopped],
    }


def dinamis_delivery_retry(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Make a delivery due again now, and let its target run if it was stopped.

    :param target: the target's name
    :param id: id of the row
    """
    tk.check_access("dinamis_delivery_retry", context, data_dict)
    name, id_ = tk.get_or_bust(data_dict, ["target", "id"])
    target = next((t for t in targets() if t.name == name), None)
    if target is None:
        names = ", ".join(t.name for t in targets())
        raise tk.ValidationError({"target": [tk._("Unknown target. Use one of: {names}.").format(names=names)]})
    row = session().get(target.model, id_, with_for_update=True)
    if row is None:
        raise tk.ObjectNotFound(tk._("This delivery does not exist."))
    row.failed_at, row.next_attempt_at, row.attempts, row.lease_until = None, utcnow(), 0, None
    stop = session().get(DeliveryTarget, name)
    if stop:
        stop.stopped_at = None
    record(Event.DELIVERY_RETRIED, actor_of(context), name, id_)
    session().commit()
    return _dictize(target, row)
