"""What of membership leaves for DINAMIS: the submitted file with its papers, and the membership's state."""

from __future__ import annotations

import base64
import datetime as dt
import logging
from typing import Any

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, utcnow
from ckanext.dinamis_relais.gateway import Target, api
from ckanext.dinamis_relais.machine import TransitionError
from ckanext.dinamis_relais.membership import effects, papers
from ckanext.dinamis_relais.membership.model import Application, Membership

__all__ = ["application", "membership"]

log = logging.getLogger(__name__)

#: Status of the contract → transition of ours. ``received`` means: ask again later.
DECISIONS = {"accepted": "accept", "refused": "refuse", "deferred": "defer"}


def _organization(row: Any, application: Application) -> dict[str, Any]:
    group = model.Group.get(row.organization_id)
    found: dict[str, Any] = {
        "id": row.organization_id,
        "name": group.name if group else "",
        "title": group.title if group else "",
        "siren": application.siren,
    }
    for name in ("siret", "legal_category", "category"):
        if getattr(application, name):
            found[name] = getattr(application, name)
    if application.territory_code:
        found["territory"] = {
            "kind": application.territory_kind,
            "code": application.territory_code,
            "name": application.territory_name,
        }
    return found


def _person(person: dict[str, str]) -> dict[str, str]:
    return {name: person.get(name, "") for name in ("given_name", "family_name", "function", "email")}


def _document(row: Any) -> dict[str, Any]:
    found = {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "media_type": row.media_type,
        "sha256": row.sha256,
        "size": row.size,
        "content": base64.b64encode(row.content).decode(),
    }
    return {**found, "version": row.version} if row.version else found


def _prepare_application(row: Application) -> dict[str, Any]:
    body = {
        "version": row.version,
        "relay": config.relay_name(),
        "kind": row.kind,
        "state": row.state,
        "organization": _organization(row, row),
        "legal_representative": _person(row.representative),
        "agreement_number": row.agreement_number,
        "eligibility": row.eligibility,
        "documents": [_document(d) for d in papers.of_application(row.id)],
        "signed_at": isoformat(row.signed_at),
        "submitted_at": isoformat(row.submitted_at),
    }
    if row.justification:
        body["justification"] = row.justification
    if row.referent.get("email"):
        body["referent"] = _person(row.referent)
    return body


def _apply_decision(row: Application, answer: dict[str, Any]) -> None:
    """Take the board's answer over; while there is none, ask again later."""
    if row.state != "submitted":
        return
    transition = DECISIONS.get(str(answer.get("status")))
    if transition is None:
        row.next_poll_at = utcnow() + dt.timedelta(seconds=config.gateway_poll_seconds())
        return
    data = {"reason": answer.get("reason") or "", "reference": answer.get("reference")}
    try:
        effects.apply(row, transition, "dinamis", data)
    except (TransitionError, effects.GuardError) as error:
        # A "no" without a reason cannot be passed on; it waits, visible, for a person.
        log.error("Decision on %s not taken over: %s", row.id, error)
        row.last_error = str(error)
        row.failed_at = utcnow()


def _prepare_membership(row: Membership) -> dict[str, Any]:
    from ckanext.dinamis_relais.db import session

    return {
        "version": row.version,
        "organization": _organization(row, session().get(Application, row.application_id)),
        "state": row.state,
        "since": isoformat(row.since),
        "until": isoformat(row.until),
    }


def _applied_membership(row: Membership, answer: dict[str, Any]) -> None:
    del row, answer  # DINAMIS acknowledges; nothing of ours changes


application = Target("application", Application, _prepare_application, api.send, _apply_decision, api.enabled)
membership = Target("membership", Membership, _prepare_membership, api.send, _applied_membership, api.enabled)
