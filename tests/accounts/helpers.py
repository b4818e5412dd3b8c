"""Accounts of Bègles's people, by the real actions."""

from __future__ import annotations

from typing import Any

from ckan import model
from ckan.tests.helpers import call_action
from flask import g

from ckanext.dinamis_relais.gateway import secrets
from ckanext.dinamis_relais.gateway.model import Mail

PERSON = {"email": "Lou.Exemple+sig@Begles.example", "given_name": "Lou", "family_name": "Exemple"}
PASSWORD = "mot-de-passe-essai-1"


def forget() -> None:
    """Let the next call of the test client be a request of its own.

    The fixtures' request context is still there, and Flask would reuse who it found in it.
    """
    for name in ("_login_user", "user", "userobj", "author", "csrf_valid", "login_via_auth_header"):
        g.pop(name, None)


def enter(people: Any, by: str = "super_referent", **more: Any) -> dict[str, Any]:
    """An account, entered by somebody."""
    data = {"organization_id": people.organization["id"], **PERSON, **more}
    return call_action("dinamis_account_create", people.context(by), **data)


def move(
    people: Any, account: dict[str, Any], transition: Any, role: str = "super_referent", **more: Any
) -> dict[str, Any]:
    """An account, taken through a transition by somebody."""
    return call_action(
        "dinamis_account_transition", people.context(role), id=account["id"], transition=transition, **more
    )


def link_of(email: str, *names: str) -> str:
    """The one-time link of the newest message to an address, of the templates named (or of any)."""
    query = model.Session.query(Mail).filter(Mail.recipient == email, Mail.secrets.is_not(None))
    if names:
        query = query.filter(Mail.name.in_(names))
    mail = query.order_by(Mail.created_at.desc()).first()
    assert mail is not None, f"no message with a link to {email}"
    return secrets.decrypt(mail.secrets)["link"]


def token_to(email: str, *names: str) -> str:
    """The token of :func:`link_of`."""
    return link_of(email, *names).rsplit("/", 1)[1]


def context_of(name: str) -> dict[str, Any]:
    """The context of an action that a CKAN user calls; of a visitor for an empty name."""
    model.Session.expunge_all()
    user = model.User.get(name) if name else None
    return {"user": name, "ignore_auth": False, "model": model, "auth_user_obj": user}


def open_account(account: dict[str, Any], name: str = "", **more: Any) -> dict[str, Any]:
    """Open an account by its invitation: as a visitor who chooses a password, or logged in as somebody."""
    data = {"token": token_to(account["email"]), "charter": True, "password": PASSWORD, **more}
    return call_action("dinamis_account_invitation_accept", context_of(name), **data)
