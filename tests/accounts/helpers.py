"""Accounts of Bègles's people, by the real actions."""

from __future__ import annotations

from typing import Any

from ckan.tests.helpers import call_action

PERSON = {"email": "Lou.Exemple+sig@Begles.example", "given_name": "Lou", "family_name": "Exemple"}


def enter(people: Any, role: str = "super_referent", **more: Any) -> dict[str, Any]:
    """An account, entered by somebody."""
    data = {"organization_id": people.organization["id"], **PERSON, **more}
    return call_action("dinamis_account_create", people.context(role), **data)


def move(
    people: Any, account: dict[str, Any], transition: Any, role: str = "super_referent", **more: Any
) -> dict[str, Any]:
    """An account, taken through a transition by somebody."""
    return call_action(
        "dinamis_account_transition", people.context(role), id=account["id"], transition=transition, **more
    )
