"""The one-time link that opens an account: its person proves the address, accepts the charter, chooses a password."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config, throttle
from ckanext.dinamis_relais.accounts import charter, effects, links, users
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import OPEN, shortest_password
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit


def way(row: Account, user: model.User | None) -> str:
    """How the holder of the link goes on.

    :returns: ``password`` (a new login: choose one), ``login`` (log in first, as the login that the account has or,
        when it has none, as one's own), ``join`` (logged in: this login takes the account), ``accept`` (logged in as
        the account's login: only the charter is left), ``other`` (logged in, as somebody else than the account's)
    """
    fresh = row.user_is_ours and row.email_verified_at is None
    if user is None:
        return "password" if fresh else "login"
    if row.user_id == user.id:
        return "accept"
    return "join" if fresh or row.user_id is None else "other"


@tk.side_effect_free
def dinamis_account_invitation_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What the holder of an invitation sees.

    :param token: from the mail's address
    :returns: ``{"status", "way", "state", "given_name", "email", "organization_title", "login", "charter"}``; ``login``
        is the name of the account's own login, when it has one
    """
    tk.check_access("dinamis_account_invitation_show", context, data_dict)
    link = links.by_token(links.INVITATION, tk.get_or_bust(data_dict, "token"))
    row = session().get(Account, link.account_id)
    group = model.Group.get(row.organization_id)
    login = model.User.get(row.user_id) if row.user_id else None
    return {
        "status": links.status(link),
        "used_at": isoformat(link.used_at),
        "way": way(row, user_of(context)),
        "state": row.state,
        "given_name": row.given_name,
        "email": row.email,
        "organization_title": group.title if group else "",
        "login": login.name if login else None,
        "charter": charter.text(),
    }


def _usable(row: Account, link: Any) -> None:
    status = links.status(link)
    if status == "used":
        raise GuardError("token", tk._("This invitation was used already: log in."))
    if status == "revoked":
        raise GuardError("token", tk._("A newer invitation replaces this one. Open the latest mail."))
    if status == "expired":
        text = tk._("This invitation has expired. Ask for a new one: it is sent to the same address.")
        raise GuardError("token", text)
    if row.state not in OPEN:
        raise GuardError("token", tk._("This account does not run at the moment. Write to PIGMA."))


def _take_over(row: Account, user: model.User, actor: str) -> None:
    """The person came with a login of their own: it takes the account's place."""
    made = model.User.get(row.user_id) if row.user_id and row.user_is_ours else None
    if made is not None:
        users.take_grants(row, actor)
        users.retire(made)
    row.user_id, row.user_is_ours = user.id, False
    users.give_place(row, actor)


def dinamis_account_invitation_accept(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Open an account: accept the charter, and choose a password (new login) or take it with one's own login.

    :param token: from the mail's address
    :param charter: true: the charter of use is accepted
    :param password: at least 8 characters; for a new login, without being logged in
    :returns: ``{"login", "created"}``: the name of the CKAN user, and whether a password was chosen
    :raises toolkit.ValidationError: ``charter``, ``password``, or ``token`` (used, replaced, expired, another login)
    """
    tk.check_access("dinamis_account_invitation_accept", context, data_dict)
    link = links.by_token(links.INVITATION, tk.get_or_bust(data_dict, "token"), lock=True)
    user = user_of(context)
    password = str(data_dict.get("password") or "")
    with one_commit():
        row = session().get(Account, link.account_id, with_for_update=True, populate_existing=True)
        _usable(row, link)
        how = way(row, user)
        _complete(how, password, tk.asbool(data_dict.get("charter", False)))
        if how == "join" and user is not None:
            _take_over(row, user, user.id)
        login: Any = user or model.User.get(row.user_id)
        if how == "password":
            users.set_password(login, password)
        row.email_verified_at = link.used_at = utcnow()
        record(Event.ACCOUNT_JOINED, login.id, "account", row.id, row.organization_id, way=how)
        charter.accept(row, login.id)
        session().flush()
    return {"login": login.name, "created": how == "password"}


def _complete(how: str, password: str, accepted: bool) -> None:
    if how == "login":
        raise GuardError("token", tk._("Log in first: the account is opened with your own login."))
    if how == "other":
        raise GuardError("token", tk._("This account belongs to another login than the one you are logged in with."))
    if not accepted:
        raise GuardError("charter", tk._("Tick the box: the account opens once the charter of use is accepted."))
    if how == "password" and not shortest_password(password):
        raise GuardError("password", tk._("At least 8 characters, please."))


def dinamis_account_invitation_resend(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Send a new invitation to the same address, for the holder of one that has expired.

    :param token: the expired one; an invitation that may still be used is not replaced
    """
    tk.check_access("dinamis_account_invitation_resend", context, data_dict)
    link = links.by_token(links.INVITATION, tk.get_or_bust(data_dict, "token"), lock=True)
    with one_commit():
        row = session().get(Account, link.account_id, with_for_update=True, populate_existing=True)
        if links.status(link) != "expired" or row.state not in OPEN:
            raise GuardError("token", tk._("Only an expired invitation can be replaced from here."))
        if throttle.allowed("request-mail", row.email, config.requests_per_address()):
            effects.invite(row)
            record(Event.ACCOUNT_INVITED, "person", "account", row.id, row.organization_id)
    return {"sent": True}
