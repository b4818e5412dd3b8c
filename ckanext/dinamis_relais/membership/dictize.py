"""Rows as the action API answers them."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.dinamis_relais.authority import can
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.membership import kinds, papers, rules, terms_rules
from ckanext.dinamis_relais.membership.machines import APPLICATION, MEMBERSHIP
from ckanext.dinamis_relais.membership.model import Application, Document, Membership
from ckanext.dinamis_relais.membership.schema import FIELDS


def _organization(organization_id: str) -> dict[str, Any]:
    group = model.Group.get(organization_id)
    return {
        "organization_id": organization_id,
        "organization_name": group.name if group else None,
        "organization_title": group.title if group else None,
    }


def application(row: Application, user: model.User | None) -> dict[str, Any]:
    """A file, with what this user may do with it now."""
    allowed = [
        {"name": t.name, "reason": t.reason}
        for t in APPLICATION.allowed(row.state)
        if t.verb != "application.sign" and can(user, t.verb, row.organization_id)
    ]
    presumed = rules.presumption(row.legal_category)
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "returns_to": row.returns_to,
        **_organization(row.organization_id),
        **{name: getattr(row, name) for name in FIELDS},
        "agreement_number": row.agreement_number,
        "presumption": {"level": presumed.level, "why": presumed.why},
        "eligibility": row.eligibility,
        "entity_checked_at": isoformat(row.entity_checked_at),
        "reason": row.reason,
        "decided_at": isoformat(row.decided_at),
        "decided_on": isoformat(row.decided_on),
        "decided_by": row.decided_by,
        "decided_name": row.decided_name,
        "decision_via": row.decision_via,
        "decision_reference": row.decision_reference,
        "claimed_by": row.claimed_by,
        "due_at": isoformat(row.due_at),
        "answer_by": isoformat(row.answer_by),
        "accepted_texts": row.accepted_texts or {},
        "created_at": isoformat(row.created_at),
        "state_since": isoformat(row.state_since),
        "signed_at": isoformat(row.signed_at),
        "submitted_at": isoformat(row.submitted_at),
        "missing": rules.missing({name: getattr(row, name) for name in FIELDS}),
        "waiting_for": rules.waiting_for(row.state),
        "steps": rules.steps(row.state, row.returns_to),
        "transitions": allowed,
        "delivered": row.version > 0 and row.delivered_version == row.version,
        "delivery_error": row.last_error,
    }


def membership(row: Membership, user: model.User | None) -> dict[str, Any]:
    """A membership: what anyone may know, and for PIGMA what may be done with it."""
    file = session().get(Application, row.application_id)
    found = {
        "id": row.id,
        **_organization(row.organization_id),
        "state": row.state,
        "since": isoformat(row.since),
        "until": isoformat(row.until),
        "agreement_number": row.agreement_number,
        "siren": file.siren if file else None,
        "territory_kind": file.territory_kind if file else None,
        "territory_code": file.territory_code if file else None,
        "territory_name": file.territory_name if file else None,
    }
    if can(user, "application.read", row.organization_id):
        outdated = terms_rules.outdated(row.accepted_texts, papers.versions_in_force())
        found |= {
            "reason": row.reason,
            "term_ends_on": isoformat(row.term_ends_on),
            "ended_because": row.ended_because,
            "accepted_texts": row.accepted_texts or {},
            "texts_to_accept": outdated if row.state != "ended" else [],
        }
    if can(user, "application.prepare", row.organization_id):
        found["kinds"] = kinds.possible(row)
    if can(user, "membership.manage", row.organization_id):
        found["application_id"] = row.application_id
        found["transitions"] = [
            {"name": t.name, "reason": t.reason}
            for t in MEMBERSHIP.allowed(row.state)
            if can(user, t.verb, row.organization_id)
        ]
    return found


def document(row: Document) -> dict[str, Any]:
    """A paper, without its bytes; ``url`` is where they are, for who may read them."""
    return {
        "id": row.id,
        "application_id": row.application_id,
        "organization_id": row.organization_id,
        "kind": row.kind,
        "title": row.title,
        "version": row.version,
        "media_type": row.media_type,
        "sha256": row.sha256,
        "size": row.size,
        "sealed": row.sealed,
        "timestamped": row.timestamped,
        "created_at": isoformat(row.created_at),
        "url": tk.url_for("dinamis_documents.read", document_id=row.id, qualified=True),
    }
