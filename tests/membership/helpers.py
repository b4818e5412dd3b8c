"""Files in any state of the machine, by the real actions."""

from __future__ import annotations

from typing import Any

from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais import onetime
from ckanext.dinamis_relais.gateway import secrets
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.model import SignatureLink

ACCEPTED = {"amendment": True, "charter": True, "licences": True, "super_referent": True}

FIELDS = {
    "siren": "213300395",
    "category": "local_authority",
    "territory_kind": "commune",
    "territory_code": "33039",
    "territory_name": "Bègles",
    "representative": {
        "given_name": "Alix", "family_name": "Exemple", "function": "Maire", "email": "maire@begles.example",
    },
    "referent": {"given_name": "Sam", "family_name": "Exemple", "email": "sig@begles.example"},
}  # fmt: skip

#: Steps to each state: (role, transition, more).
_PATH = {
    "awaiting_signature": [("super_referent", "request_signature", {})],
    "signed": [("signatory", "sign", {})],
    "under_review": [("super_referent", "start_review", {})],
    "submitted": [("super_referent", "confirm_eligibility", {"note": "Vérifié auprès de DINAMIS (essai)."})],
    "deferred": [("executive_board", "defer", {"reason": "Préciser l'usage."})],
    "accepted": [("executive_board", "accept", {"reference": "BE-1"})],
    "refused": [("executive_board", "refuse", {"reason": "Hors périmètre."})],
    "ineligible": [("super_referent", "decline_eligibility", {"reason": "Société sans mission publique."})],
    "changes_requested": [("super_referent", "ask_changes", {"reason": "Adresse manquante."})],
    "withdrawn": [("super_referent", "withdraw", {})],
}
_ORDER = {
    "draft": [],
    "awaiting_signature": ["awaiting_signature"],
    "signed": ["awaiting_signature", "signed"],
    "under_review": ["awaiting_signature", "signed", "under_review"],
    "submitted": ["awaiting_signature", "signed", "under_review", "submitted"],
}
_ORDER |= {
    "ineligible": [*_ORDER["under_review"], "ineligible"],
    "changes_requested": [*_ORDER["under_review"], "changes_requested"],
    "deferred": [*_ORDER["submitted"], "deferred"],
    "accepted": [*_ORDER["submitted"], "accepted"],
    "refused": [*_ORDER["submitted"], "refused"],
    "withdrawn": ["withdrawn"],
}


def token_of(mail: Mail) -> str:
    """The token of the link that waits, encrypted, in a mail."""
    return secrets.decrypt(mail.secrets)["link"].rsplit("/", 1)[1]


def code_of(application_id: str) -> str:
    """The newest code that waits, encrypted, in a mail."""
    query = model.Session.query(Mail).filter_by(name="signature_code", object_id=application_id)
    return secrets.decrypt(query.order_by(Mail.created_at.desc()).first().secrets)["link"]


def sign(token: str, accepted: dict[str, Any] | None = None) -> dict[str, Any]:
    """Sign as the legal representative: no login."""
    context = {"user": "", "ignore_auth": False, "model": model}
    call_action("dinamis_signature_code", dict(context), token=token, accepted=accepted or ACCEPTED)
    link = onetime.by_token(SignatureLink, token)
    return call_action("dinamis_signature_create", context, token=token, code=code_of(link.application_id),
                       ip="192.0.2.1", user_agent="test")  # fmt: skip


def file_in(people: Any, state: str, **fields: Any) -> dict[str, Any]:
    """A file of Bègles, taken to a state."""
    data = {"organization_id": people.organization["id"], **FIELDS, **fields}
    file = call_action("dinamis_application_create", people.context("super_referent"), **data)
    for step in _ORDER[state]:
        for role, transition, more in _PATH[step]:
            if role == "signatory":
                mail = model.Session.query(Mail).filter_by(name="signature_requested", object_id=file["id"]).all()[-1]
                sign(token_of(mail))
            else:
                call_action("dinamis_application_transition", people.context(role), id=file["id"],
                            transition=transition, **more)  # fmt: skip
    return call_action("dinamis_application_show", people.context("super_referent"), id=file["id"])
