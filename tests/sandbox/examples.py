"""Bodies as a relay sends them, and what the published contract says of an answer."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jsonschema import Draft202012Validator

from ckanext.dinamis_relais.sandbox import contract
from tests.sandbox.conftest import TOKEN

PDF = b"%PDF-1.7 example"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "application-1-1"}
ORGANIZATION = {
    "id": "o1", "name": "begles", "title": "Commune de Bègles", "siren": "213300395", "siret": "21330039500016",
    "legal_category": "7210", "category": "local_authority",
    "territory": {"kind": "commune", "code": "33039", "name": "Bègles"},
}  # fmt: skip
PERSON = {"given_name": "Alix", "family_name": "Exemple", "function": "Maire", "email": "alix@demo.example"}


def document(content: bytes = PDF, **changes: Any) -> dict[str, Any]:
    return {
        "id": "d1", "kind": "signed_amendment", "title": "Avenant signé", "media_type": "application/pdf",
        "sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
        "content": base64.b64encode(content).decode(), **changes,
    }  # fmt: skip


def application(version: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "version": version, "relay": "PIGMA", "kind": "first", "state": "submitted", "organization": ORGANIZATION,
        "legal_representative": PERSON, "referent": PERSON, "agreement_number": "PIGMA-2026-0001",
        "eligibility": {"checked_at": "2026-05-04T10:00:00Z", "checked_by": "camille", "presumption": "presumed",
                        "note": "Vérification d'essai."},
        "documents": [document()], "signed_at": "2026-05-03T10:00:00Z", "submitted_at": "2026-05-04T10:00:00+00:00",
        **changes,
    }  # fmt: skip


def membership(version: int = 1, **changes: Any) -> dict[str, Any]:
    found = {"version": version, "organization": ORGANIZATION, "state": "active", "since": "2026-05-05", "until": None}
    return {**found, **changes}


def account(version: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "version": version, "state": "validated", "membership_id": "m1", "organization_id": "o1",
        "email": "lou@demo.example", "given_name": "Lou", "family_name": "Exemple", "function": "Géomaticienne",
        "purpose": "Suivi des haies", "role": "user", "ends_on": None, **changes,
    }  # fmt: skip


def question(version: int = 1, **changes: Any) -> dict[str, Any]:
    message = {"id": "m1", "at": "2026-05-06T08:00:00Z", "side": "person", "text": "Pourquoi cette date ?",
               "documents": ["d1"]}  # fmt: skip
    return {
        "version": version, "relay": "PIGMA", "state": "escalated", "title": "Une date",
        "about": {"kind": "page", "title": "Images", "url": "https://ckan.example/dinamis/images"},
        "organization": {"id": "o1", "title": "Commune de Bègles"}, "asked_at": "2026-05-06T08:00:00Z",
        "escalated_at": "2026-05-06T09:00:00Z", "messages": [message],
        "documents": [document(kind="question_file", title="capture.pdf", version=None)], **changes,
    }  # fmt: skip


def imagery_request(version: int = 1, **changes: Any) -> dict[str, Any]:
    ring = [[-0.6, 44.8], [-0.5, 44.8], [-0.5, 44.9], [-0.6, 44.8]]
    return {
        "version": version, "relay": "PIGMA", "state": "accepted", "organization": {"id": "o1", "title": "Bègles"},
        "title": "Bègles sud", "purpose": "Haies", "area": {"type": "Polygon", "coordinates": [ring]},
        "area_km2": 43.8, "starts_on": "2027-05-01", "ends_on": "2027-09-30", "cloud": 20, "product": "SPOT",
        "resolution": 1.5, "archive": {"count": 0, "share": 0.0, "share_fitting": 0.0},
        "asked_at": "2026-05-06T08:00:00Z", "accepted_at": "2026-05-07T08:00:00Z", **changes,
    }  # fmt: skip


BODIES = {"applications": application, "memberships": membership, "accounts": account, "questions": question,
          "requests": imagery_request}  # fmt: skip


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a ``$ref`` inside the contract stands for."""
    found: Any = contract.document()
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def conforms(answer: Any, method: str, path: str) -> Any:
    """Hold an answer against the contract: its status is foreseen, its type and its schema are as written.

    :param path: as the contract writes it
    :returns: the answer's JSON
    """
    foreseen = contract.document()["paths"][path][method]["responses"]
    assert str(answer.status_code) in foreseen, (answer.status_code, answer.text)
    schema = resolved(foreseen[str(answer.status_code)])["content"][answer.mimetype]["schema"]
    validator = Draft202012Validator({**schema, "components": contract.document()["components"]})
    assert not [fault.message for fault in validator.iter_errors(answer.json)]
    return answer.json
