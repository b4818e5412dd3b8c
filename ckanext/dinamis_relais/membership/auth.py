"""Who may call each action of membership: verbs of the table, for the organisation of the thing."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.dinamis_relais.authority import guard
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.membership.model import Application, Document, Membership

__all__ = [
    "dinamis_application_claim",
    "dinamis_application_create",
    "dinamis_application_history",
    "dinamis_application_list",
    "dinamis_application_show",
    "dinamis_application_thread",
    "dinamis_application_transition",
    "dinamis_application_update",
    "dinamis_board_link_decide",
    "dinamis_board_link_resend",
    "dinamis_board_link_show",
    "dinamis_convention_import",
    "dinamis_decision_record",
    "dinamis_document_list",
    "dinamis_document_show",
    "dinamis_document_verify",
    "dinamis_dossier_revoke",
    "dinamis_dossier_send",
    "dinamis_dossier_show",
    "dinamis_entity_lookup",
    "dinamis_member_list",
    "dinamis_membership_autocomplete",
    "dinamis_membership_list",
    "dinamis_membership_show",
    "dinamis_membership_transition",
    "dinamis_note_create",
    "dinamis_note_delete",
    "dinamis_note_list",
    "dinamis_partner_list",
    "dinamis_reacceptance_request_many",
    "dinamis_signature_code",
    "dinamis_signature_create",
    "dinamis_signature_delegate",
    "dinamis_signature_request_many",
    "dinamis_signature_resend",
    "dinamis_signature_show",
    "dinamis_signature_upload",
]


def _by(table: Any, key: str = "id") -> Any:
    def organization_of(_context: dict[str, Any], data_dict: dict[str, Any]) -> str | None:
        row = session().get(table, data_dict[key]) if data_dict.get(key) else None
        return row.organization_id if row else None

    return organization_of


def _by_organization(_context: dict[str, Any], data_dict: dict[str, Any]) -> str | None:
    group = model.Group.get(data_dict["organization_id"]) if data_dict.get("organization_id") else None
    return group.id if group else None


dinamis_application_create = guard("application.prepare", _by_organization)
dinamis_application_update = guard("application.prepare", _by(Application))
dinamis_application_show = guard("application.read", _by(Application))
dinamis_application_history = guard("application.read", _by(Application))
dinamis_application_thread = guard("thread.read", _by(Application))
dinamis_application_list = guard("application.read", _by_organization)
dinamis_application_claim = guard("application.review", _by(Application))
# Each transition has a verb of its own, which the action checks against the machine's row.
dinamis_application_transition = guard("application.read", _by(Application))
dinamis_member_list = guard("membership.list", anonymous=True)
dinamis_membership_show = guard("membership.read", anonymous=True)
dinamis_membership_autocomplete = guard("membership.list", anonymous=True)
dinamis_membership_list = guard("membership.list", anonymous=True)
dinamis_membership_transition = guard("membership.manage", _by(Membership))
dinamis_note_create = guard("note.write", _by(Application))
dinamis_note_list = guard("note.read", _by(Application))
# That somebody deletes their own is a rule of the room.
dinamis_note_delete = guard("note.write")
dinamis_entity_lookup = guard("entity.lookup", _by_organization)
dinamis_document_list = guard("document.read", _by(Application, "application_id"))
dinamis_document_show = guard("document.read", _by(Document))
dinamis_document_verify = guard("document.verify", anonymous=True)
# The one-time token is the right; who has none learns only that it is not valid.
dinamis_signature_show = guard("document.verify", anonymous=True)
dinamis_signature_create = guard("document.verify", anonymous=True)
dinamis_signature_resend = guard("document.verify", anonymous=True)
# All partners at once are PIGMA's view; a referent sees their own organisation's tab.
dinamis_partner_list = guard("application.review")
dinamis_convention_import = guard("application.review")
dinamis_signature_request_many = guard("application.review")
dinamis_reacceptance_request_many = guard("application.review")
dinamis_signature_code = guard("document.verify", anonymous=True)
dinamis_signature_delegate = guard("document.verify", anonymous=True)
dinamis_signature_upload = guard("application.review", _by(Application))
dinamis_decision_record = guard("decision.record", _by(Application))
# So is the board's one-time link.
dinamis_board_link_show = guard("document.verify", anonymous=True)
dinamis_board_link_decide = guard("document.verify", anonymous=True)
dinamis_board_link_resend = guard("document.verify", anonymous=True)
dinamis_dossier_show = guard("application.review", _by(Application))
dinamis_dossier_send = guard("application.review", _by(Application))
dinamis_dossier_revoke = guard("application.review", _by(Application))
