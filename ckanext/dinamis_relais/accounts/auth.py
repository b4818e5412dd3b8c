"""Who enters, sees and moderates accounts."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import AuthResult, Context, DataDict

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.authority import can, guard, user_of
from ckanext.dinamis_relais.db import session

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


def _of_account(_context: dict[str, Any], data_dict: dict[str, Any]) -> str | None:
    row = session().get(Account, str(data_dict["id"])) if data_dict.get("id") else None
    return row.organization_id if row else None


def _by_organization(_context: dict[str, Any], data_dict: dict[str, Any]) -> str | None:
    group = model.Group.get(str(data_dict["organization_id"])) if data_dict.get("organization_id") else None
    return group.id if group else None


dinamis_account_create = guard("account.propose", _by_organization)
dinamis_account_show = guard("account.read", _of_account)
dinamis_account_list = guard("account.read", _by_organization)
# Each transition has a verb of its own, which the action checks against the machine's row.
dinamis_account_transition = guard("account.moderate", _of_account)
dinamis_account_transition_many = guard("account.moderate")
dinamis_account_update = guard("account.moderate", _of_account)
dinamis_account_invite = guard("account.moderate", _of_account)
dinamis_account_keep = guard("account.moderate", _of_account)
dinamis_account_replace = guard("account.moderate", _of_account)
dinamis_account_import = guard("account.moderate")
dinamis_account_mine = guard("account.own")
dinamis_charter_accept = guard("account.own")
dinamis_erasure_request = guard("account.own")
dinamis_personal_data_erase = guard("personal_data.erase")
# The mailed link is the right.
dinamis_account_request = guard("account.request", anonymous=True)
dinamis_account_request_show = guard("account.request", anonymous=True)
dinamis_account_request_confirm = guard("account.request", anonymous=True)
dinamis_account_invitation_show = guard("account.request", anonymous=True)
dinamis_account_invitation_accept = guard("account.request", anonymous=True)
dinamis_account_invitation_resend = guard("account.request", anonymous=True)

_own, _anyone = guard("account.own"), guard("personal_data.read")


def dinamis_personal_data_export(context: Context, data_dict: DataDict) -> AuthResult:
    """Everybody for themselves; PIGMA for the person of an account."""
    return (_anyone if (data_dict or {}).get("account_id") else _own)(context, data_dict)


dinamis_personal_data_export.verb = "account.own"  # type: ignore[attr-defined]
dinamis_personal_data_export = tk.auth_sysadmins_check(dinamis_personal_data_export)


def may_moderate(context: dict[str, Any], organization_id: str) -> bool:
    """Whether an account that this user enters needs nobody else's validation."""
    return can(user_of(context), "account.moderate", organization_id)
