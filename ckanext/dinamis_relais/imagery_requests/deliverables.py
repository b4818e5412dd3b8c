"""What of requests leaves for DINAMIS: their state once PIGMA accepted them; statuses come back by asking."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import Target, api
from ckanext.dinamis_relais.imagery_requests import rules, steps
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.machine import TransitionError
from ckanext.dinamis_relais.questions.rules import clean

__all__ = ["imagery_request"]

log = logging.getLogger(__name__)


def _accepted_at(row: ImageryRequest) -> str | None:
    return next((isoformat(step.at) for step in steps.steps_of(row.id) if step.code == "accepted"), None)


def _prepare(row: ImageryRequest) -> dict[str, Any]:
    """The request as it stands; who asked is not named, their organisation is."""
    organization = model.Group.get(row.organization_id)
    return {
        "version": row.version,
        "relay": config.relay_name(),
        "state": row.state,
        "organization": {"id": row.organization_id, "title": organization.title if organization else ""},
        "title": row.title,
        "purpose": row.purpose,
        "area": row.area,
        "area_km2": round(row.area_km2, 4),
        "starts_on": isoformat(row.starts_on),
        "ends_on": isoformat(row.ends_on),
        "cloud": row.cloud,
        "product": row.product,
        "resolution": row.resolution,
        "archive": {name: row.archive.get(name) for name in ("count", "share", "share_fitting")},
        "asked_at": isoformat(row.created_at),
        "accepted_at": _accepted_at(row),
    }


def _moment(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def _statuses(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """DINAMIS's statuses as they are taken; what is none is left out."""
    found = []
    for one in answer.get("statuses") or ():
        if not isinstance(one, dict) or one.get("code") not in rules.CODES:
            log.error("A status that DINAMIS gives a request is not as the contract says: left out.")
            continue
        reason = (
            clean(one["reason"], lines=True)[: rules.LONGEST["reason"]] if isinstance(one.get("reason"), str) else ""
        )
        code = one.get("reason_code")
        found.append({"code": one["code"], "at": _moment(one.get("at")), "reason": reason or None,
                      "reason_code": clean(code)[:100] if isinstance(code, str) and code else None})  # fmt: skip
    return found


def _apply(row: ImageryRequest, answer: dict[str, Any]) -> None:
    """Take DINAMIS's statuses in their order, each once; while more may come, ask again."""
    reference = answer.get("reference")
    row.reference = clean(reference)[:200] if isinstance(reference, str) and reference else row.reference
    for status in _statuses(answer) if row.erased_at is None else ():
        name = rules.BY_CODE.get(status["code"])
        try:
            if name:
                rules.MACHINE.row(row.state, name)
        except TransitionError:
            continue  # passed already, or crossed by what was decided here
        if not name or row.state not in rules.AT_DINAMIS:
            continue
        steps.apply(
            row, name, "dinamis", "dinamis", reason=status["reason"], reason_code=status["reason_code"], at=status["at"]
        )
    if row.state in rules.AT_DINAMIS:
        row.next_poll_at = utcnow() + dt.timedelta(seconds=config.gateway_poll_seconds())
    session().flush()


imagery_request = Target("request", ImageryRequest, _prepare, api.send, _apply, api.enabled)
