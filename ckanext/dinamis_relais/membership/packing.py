"""What of a file and of a membership is told to DINAMIS: the bodies of the contract, in a transaction, no network."""

from __future__ import annotations

import base64
from typing import Any

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.membership import papers
from ckanext.dinamis_relais.membership.model import Application, Membership


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


def application(row: Application) -> dict[str, Any]:
    """A file with its papers."""
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


def membership(row: Membership) -> dict[str, Any]:
    """A membership's state."""
    return {
        "version": row.version,
        "organization": _organization(row, session().get(Application, row.application_id)),
        "state": row.state,
        "since": isoformat(row.since),
        "until": isoformat(row.until),
    }


def deeds(application_id: str) -> list[dict[str, Any]]:
    """The actes d'adhésion of a file, as papers of the contract."""
    return [_document(d) for d in papers.of_application(application_id) if d.kind == "membership_deed"]
