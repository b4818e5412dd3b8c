"""The room's part of the action API; each action lives beside those of the same task."""

from __future__ import annotations

from ckanext.dinamis_relais.accounts.bulk import dinamis_account_import, dinamis_account_transition_many
from ckanext.dinamis_relais.accounts.charter import dinamis_charter_accept
from ckanext.dinamis_relais.accounts.entry import (
    dinamis_account_create,
    dinamis_account_request,
    dinamis_account_request_confirm,
    dinamis_account_request_show,
)
from ckanext.dinamis_relais.accounts.invitations import (
    dinamis_account_invitation_accept,
    dinamis_account_invitation_resend,
    dinamis_account_invitation_show,
)
from ckanext.dinamis_relais.accounts.listing import dinamis_account_list, dinamis_account_mine, dinamis_account_show
from ckanext.dinamis_relais.accounts.moderation import (
    dinamis_account_invite,
    dinamis_account_keep,
    dinamis_account_replace,
    dinamis_account_transition,
    dinamis_account_update,
)
from ckanext.dinamis_relais.accounts.privacy import (
    dinamis_erasure_request,
    dinamis_personal_data_erase,
    dinamis_personal_data_export,
)

__all__ = [
    "dinamis_account_create",
    "dinamis_account_import",
    "dinamis_account_invitation_accept",
    "dinamis_account_invitation_resend",
    "dinamis_account_invitation_show",
    "dinamis_account_invite",
    "dinamis_account_keep",
    "dinamis_account_list",
    "dinamis_account_mine",
    "dinamis_account_replace",
    "dinamis_account_request",
    "dinamis_account_request_confirm",
    "dinamis_account_request_show",
    "dinamis_account_show",
    "dinamis_account_transition",
    "dinamis_account_transition_many",
    "dinamis_account_update",
    "dinamis_charter_accept",
    "dinamis_erasure_request",
    "dinamis_personal_data_erase",
    "dinamis_personal_data_export",
]
