"""The room's part of the action API; each action lives beside those of the same thing."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.membership import entities
from ckanext.dinamis_relais.membership.applications import (
    Data,
    dinamis_application_create,
    dinamis_application_history,
    dinamis_application_list,
    dinamis_application_show,
    dinamis_application_transition,
    dinamis_application_update,
)
from ckanext.dinamis_relais.membership.asking import (
    dinamis_reacceptance_request_many,
    dinamis_signature_request_many,
)
from ckanext.dinamis_relais.membership.board_links import (
    dinamis_board_link_decide,
    dinamis_board_link_resend,
    dinamis_board_link_show,
    dinamis_dossier_revoke,
    dinamis_dossier_send,
    dinamis_dossier_show,
)
from ckanext.dinamis_relais.membership.claims import dinamis_application_claim
from ckanext.dinamis_relais.membership.conventions import dinamis_convention_import
from ckanext.dinamis_relais.membership.documents import (
    dinamis_decision_record,
    dinamis_document_list,
    dinamis_document_show,
    dinamis_document_verify,
    dinamis_signature_upload,
)
from ckanext.dinamis_relais.membership.memberships import (
    dinamis_membership_autocomplete,
    dinamis_membership_list,
    dinamis_membership_show,
    dinamis_membership_transition,
)
from ckanext.dinamis_relais.membership.notes import dinamis_note_create, dinamis_note_delete, dinamis_note_list
from ckanext.dinamis_relais.membership.partners import dinamis_partner_list
from ckanext.dinamis_relais.membership.public import dinamis_member_list
from ckanext.dinamis_relais.membership.rules import presumption
from ckanext.dinamis_relais.membership.signatures import (
    dinamis_signature_code,
    dinamis_signature_create,
    dinamis_signature_delegate,
    dinamis_signature_resend,
    dinamis_signature_show,
)
from ckanext.dinamis_relais.membership.thread import dinamis_application_thread

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


@tk.side_effect_free
def dinamis_entity_lookup(context: Context, data_dict: Data) -> Data:
    """Search Recherche d'entreprises.

    :param q: a SIREN, a SIRET, or three characters of a name at least
    :param organization_id: the organisation on whose behalf, for a referent
    :returns: ``{"available", "results", "retry_after"}``; ``available`` false when the service is down:
        the form still works by hand
    """
    tk.check_access("dinamis_entity_lookup", context, data_dict)
    query = " ".join(str(tk.get_or_bust(data_dict, "q")).split())
    digits = query.replace(" ", "")
    if digits.isdigit():
        query = digits
    if len(query) < 3:
        raise tk.ValidationError({"q": [tk._("Type three characters at least, or a SIREN of nine digits.")]})
    session().rollback()
    found = entities.lookup(query)
    results = []
    for entity in found.results:
        presumed = presumption(entity["legal_category"])
        results.append({**entity, "presumption": {"level": presumed.level, "why": presumed.why}})
    return {"available": found.available, "results": results, "retry_after": found.retry_after}
