"""Template helpers of accounts: the message that a decision sends."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.gateway import mailer

__all__ = ["dinamis_account_allows", "dinamis_account_message", "dinamis_keeps_registration"]


def dinamis_account_allows(states: str, transition: str) -> bool:
    """Whether a transition starts from one of some states, separated by commas."""
    return any(row.name == transition for state in states.split(",") for row in MACHINE.allowed(state))


def dinamis_account_message(name: str, account: dict[str, Any], reason: str) -> tuple[str, str]:
    """Subject and text of the message that a decision sends, as it will leave.

    :param name: of the mail's template
    :param account: of ``dinamis_account_list``
    :param reason: as typed so far; empty: the place where it will stand is shown
    """
    values = {
        "recipient_name": f"{account['given_name']} {account['family_name']}",
        "organization": account["organization_title"] or "",
        "reason": reason or tk._("[your reason]"),
        "page": tk._("[address of the person's page]"),
        "link": tk._("[one-time link]"),
        "days": config.invitation_days(),
        "unopened": not account["email_verified_at"],
    }
    return mailer.render(name, values)


def dinamis_keeps_registration() -> bool:
    """Whether CKAN's own self-registration page is kept."""
    return config.keep_registration()
