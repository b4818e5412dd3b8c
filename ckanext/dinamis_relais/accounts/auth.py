"""Who enters, sees and moderates accounts."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.authority import can, guard, user_of
from ckanext.dinamis_relais.db import session

__all__ = [
    "dinamis_account_create",
    "dinamis_account_list",
    "dinamis_account_mine",
    "dinamis_account_show",
    "dinamis_account_transition",
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
dinamis_account_mine = guard("account.own")


def may_moderate(context: dict[str, Any], organization_id: str) -> bool:
    """Whether an account that this user enters needs nobody else's validation."""
    return can(user_of(context), "account.moderate", organization_id)
