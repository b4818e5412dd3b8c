"""The CKAN user behind an account: made, given its place and invited in the caller's transaction."""

from __future__ import annotations

import secrets
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.mailer import make_key

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import OPEN, outranks_member, user_names
from ckanext.dinamis_relais.authority import Role
from ckanext.dinamis_relais.authority.actions import grant_role
from ckanext.dinamis_relais.authority.model import RoleGrant
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError


def _context() -> Any:
    site = tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})
    return {"ignore_auth": True, "defer_commit": True, "user": site["name"], "model": model, "session": model.Session}


def by_email(email: str) -> model.User | None:
    """The active CKAN user who has an address; CKAN lets people change their own, and proves nothing about it."""
    query = sa.select(model.User).where(sa.func.lower(model.User.email) == email, model.User.state == "active")
    return session().execute(query).scalars().first()


def ensure_user(account: Account) -> tuple[model.User, bool]:
    """The account's CKAN user, made when the address has none; and whether it is new.

    :raises machine.GuardError: the CKAN user that the account had was deleted meanwhile
    """
    user = model.User.get(account.user_id) if account.user_id else by_email(account.email)
    if user is not None:
        if user.state != "active":
            raise GuardError(
                "user_id",
                tk._(
                    "The CKAN user {name} of this account was deleted. A sysadmin restores it, "
                    "or you close this account and enter the person again."
                ).format(name=user.name),
            )
        account.user_id = user.id
        return user, False
    name = next(n for n in user_names(account.given_name, account.family_name) if model.User.get(n) is None)
    # A password that nobody knows: the person chooses theirs by the invitation's link.
    fields = {
        "name": name,
        "email": account.email,
        "fullname": f"{account.given_name} {account.family_name}",
        "password": secrets.token_urlsafe(32),
    }
    made = tk.get_action("user_create")(_context(), fields)
    user = session().get(model.User, made["id"])
    account.user_id = user.id
    return user, True


def give_place(account: Account, actor: str) -> None:
    """Membership of the organisation in CKAN, and the referent's grant."""
    # CKAN's member_create would bring an editor or an admin of the catalogue down to member.
    if not _places(account):
        fields = {"id": account.organization_id, "object": account.user_id, "object_type": "user",
                  "capacity": "member"}  # fmt: skip
        tk.get_action("member_create")(_context(), fields)
    if account.role == "referent":
        grant_role(account.user_id, Role.REFERENT.value, account.organization_id, actor)


def take_place(account: Account, actor: str) -> None:
    """The reverse: no place in the organisation, no grant, no API token. What the person did stays theirs.

    An editor or admin of the organisation's catalogue stays one, since that is not ours to take; what only
    holders of an account may do asks :func:`accounts.is_open` besides the role.
    """
    if account.user_id is None or _other_open(account):
        return
    # CKAN's member_delete commits by itself, whatever the context says: its one effect is done here.
    for place in _places(account):
        if not outranks_member(place.capacity):
            place.state = "deleted"
    grants = session().execute(
        sa.select(RoleGrant).where(
            RoleGrant.user_id == account.user_id,
            RoleGrant.organization_id == account.organization_id,
            RoleGrant.revoked_at.is_(None),
        )
    )
    for grant in grants.scalars():
        grant.revoked_at, grant.revoked_by = utcnow(), actor
        record(
            Event.ROLE_REVOKED, actor, "role", grant.id, grant.organization_id, role=grant.role, user_id=grant.user_id
        )
    session().execute(
        sa.delete(model.ApiToken)
        .where(model.ApiToken.user_id == account.user_id)
        .execution_options(synchronize_session=False)
    )


def _places(account: Account) -> list[model.Member]:
    query = sa.select(model.Member).where(
        model.Member.group_id == account.organization_id,
        model.Member.table_id == account.user_id,
        model.Member.table_name == "user",
        model.Member.state == "active",
    )
    return list(session().execute(query).scalars())


def _other_open(account: Account) -> bool:
    query = sa.select(Account.id).where(
        Account.user_id == account.user_id,
        Account.organization_id == account.organization_id,
        Account.id != account.id,
        Account.state.in_(OPEN),
    )
    return session().execute(query).first() is not None


def invitation_link(user: model.User) -> str:
    """A link by which the person sets a first password; CKAN's own page, a key of our own transaction.

    CKAN's ``create_reset_key`` commits by itself, which would cut the transaction in two.
    """
    user.reset_key = make_key()
    return tk.url_for("user.perform_reset", id=user.id, key=user.reset_key, qualified=True)
