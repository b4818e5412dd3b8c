"""The CKAN user behind an account: made, given its place and invited in the caller's transaction."""

from __future__ import annotations

import secrets
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.logic.schema import default_user_schema
from passlib.handlers.pbkdf2 import pbkdf2_sha512

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import OPEN, outranks_member, user_names
from ckanext.dinamis_relais.authority import Role
from ckanext.dinamis_relais.authority.actions import grant_role
from ckanext.dinamis_relais.authority.model import RoleGrant
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError


def _context() -> Any:
    name = str(tk.config["ckan.site_id"])
    if model.User.get(name) is None:
        tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})
    return {"ignore_auth": True, "defer_commit": True, "user": name, "model": model, "session": model.Session}


def by_email(email: str) -> model.User | None:
    """The active CKAN user who has an address; CKAN lets people change their own, and proves nothing about it."""
    query = sa.select(model.User).where(sa.func.lower(model.User.email) == email, model.User.state == "active")
    return session().execute(query).scalars().first()


def proven(email: str) -> model.User | None:
    """The active CKAN user who opened a link that was mailed to an address, for an earlier account."""
    query = (
        sa.select(model.User)
        .join(Account, Account.user_id == model.User.id)
        .where(Account.email == email, Account.email_verified_at.is_not(None), model.User.state == "active")
        .order_by(Account.email_verified_at.desc())
        .limit(1)
    )
    return session().execute(query).scalar_one_or_none()


def ensure_user(account: Account) -> model.User | None:
    """The account's CKAN user: the one it has, or that proved the address earlier, or a new one.

    :returns: None when another login has the address, which proves nothing: its person joins by the mailed link
    :raises machine.GuardError: the CKAN user that the account had was deleted meanwhile
    """
    if account.user_id:
        return _still_there(account)
    user = proven(account.email)
    if user is None:
        if by_email(account.email):
            return None
        user = _make(account)
        account.user_is_ours = True
    else:
        account.email_verified_at = utcnow()
    account.user_id = user.id
    return user


def _still_there(account: Account) -> model.User:
    user = model.User.get(account.user_id)
    if user is not None and user.state == "active":
        return user
    raise GuardError(
        "user_id",
        tk._(
            "The CKAN user {name} of this account was deleted. A sysadmin restores it, "
            "or you close this account and enter the person again."
        ).format(name=user.name if user else account.user_id),
    )


def _free_name(account: Account) -> str:
    def taken(name: str) -> bool:
        return session().execute(sa.select(model.User.id).where(model.User.name == name)).first() is not None

    return next(n for n in user_names(account.given_name, account.family_name) if not taken(n))


def _schema() -> dict[str, Any]:
    """CKAN's own schema of a user, without its search for the same address in another case.

    :func:`by_email` has made that search, by an index; CKAN's reads every user, 15 ms at 10,000 of them.
    """
    schema: Any = default_user_schema()
    if list(tk.config.get("ckan.user.unique_email_states") or ["active"]) != ["active"]:
        return schema  # the operator wants more than our search and the index look at
    searched = tk.get_validator("email_is_unique")
    schema["email"] = [check for check in schema["email"] if check is not searched]
    return schema


def _make(account: Account) -> model.User:
    fields = {
        "name": _free_name(account),
        "email": account.email,
        "fullname": f"{account.given_name} {account.family_name}",
        # Nobody knows it: 256 random bits need no stretching, and the person chooses theirs by the invitation.
        "password_hash": pbkdf2_sha512.using(rounds=1).hash(secrets.token_urlsafe(32)),
    }
    context: Any = {**_context(), "schema": _schema()}
    made = tk.get_action("user_create")(context, fields)
    return session().get(model.User, made["id"])


def set_password(user: model.User, password: str) -> None:
    """Give a user a password; the caller commits.

    :raises toolkit.ValidationError: CKAN does not take it
    """
    tk.get_action("user_patch")(_context(), {"id": user.id, "password": password})


def set_email(user: model.User, email: str) -> None:
    """Correct the address of a user whom nobody has opened yet; the caller commits.

    :raises toolkit.ValidationError: another login has this address
    """
    tk.get_action("user_patch")(_context(), {"id": user.id, "email": email})


def retire(user: model.User) -> None:
    """Delete a user that we made and that its person never opened, since they came with another login.

    CKAN's ``user_delete`` commits by itself; this is its effect, for the caller to commit.
    """
    user.state = "deleted"
    places = sa.update(model.Member).where(model.Member.table_id == user.id, model.Member.table_name == "user")
    session().execute(places.values(state="deleted").execution_options(synchronize_session=False))


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
    """The reverse: no place in the organisation, no grant. What the person did stays theirs.

    An editor or admin of the organisation's catalogue stays one, since that is not ours to take; what only
    holders of an account may do asks :func:`accounts.is_open` besides the role.
    """
    if account.user_id is None or _other_open(account):
        return
    # CKAN's member_delete commits by itself, whatever the context says: its one effect is done here.
    for place in _places(account):
        if not outranks_member(place.capacity):
            place.state = "deleted"
    take_grants(account, actor)


def take_grants(account: Account, actor: str) -> None:
    """End the referent's grant for the account's organisation; the caller commits."""
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
