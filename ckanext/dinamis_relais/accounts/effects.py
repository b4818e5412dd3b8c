"""What each transition of an account does, in order: all in the caller's transaction, no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import access, config
from ckanext.dinamis_relais.accounts import links, sessions, users
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE, OPEN
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import mailer, sendings
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError, Transition


def active_membership(organization_id: str) -> Any:
    """The organisation's membership.

    :raises GuardError: it is not a member, or its membership does not run
    """
    from ckanext.dinamis_relais.membership import terms

    membership = terms.of(organization_id)
    if membership is None or membership.state != "active":
        raise GuardError(
            "organization_id",
            tk._(
                "This organisation is not a member of DINAMIS at the moment. "
                "Its membership comes first, then its accounts."
            ),
        )
    return membership


def _end_date_passed(account: Account) -> None:
    if account.ends_on is None or account.ends_on >= utcnow().date():
        raise GuardError("ends_on", tk._("This account has no end date that has passed. Close it instead."))


#: Messages that no row of the machine names: when they leave.
OTHER_MAILS = {
    "account_join": "account: `requested` → `validate`, when another login has the address, or the person a login",
    "account_request_confirm": "a person asks for an account: the address is to be confirmed",
    "account_erasure_requested": "a person asks for the erasure of their data",
}

GUARDS: dict[str, Callable[[Account], Any]] = {
    "active_membership": lambda account: active_membership(account.organization_id),
    "end_date_passed": _end_date_passed,
}


def mail_values(account: Account) -> dict[str, Any]:
    """What the templates of an account's messages may name."""
    organization = session().get(model.Group, account.organization_id)
    return {
        "organization": organization.title if organization else "",
        "reason": account.reason or "",
        "page": f"{config.site_url()}/dinamis/me",
        "days": config.invitation_days(),
        "unopened": account.email_verified_at is None,
    }


def _mail(name: str, account: Account, link: str | None = None) -> None:
    person = f"{account.given_name} {account.family_name}"
    thing = ("account", account.id, account.organization_id)
    mailer.write(name, account.email, person, thing, mail_values(account), link)


def invite(account: Account) -> None:
    """Mail a new one-time link by which the person opens the account; the caller commits.

    Who has a login already is asked to come with it: its address, which CKAN does not verify, gives no place.
    """
    ours = account.user_is_ours and account.email_verified_at is None
    _mail("account_invitation" if ours else "account_join", account, links.for_account(account))


def _validate(account: Account, row: Transition, actor: str) -> None:
    del row
    account.validated_at, account.validated_by = utcnow(), actor
    if users.ensure_user(account):
        users.give_place(account, actor)
    account.owe()
    invite(account)


def _resume(account: Account, row: Transition, actor: str) -> None:
    account.suspended_with_membership = False
    if users.ensure_user(account):
        users.give_place(account, actor)
    account.owe()
    link = links.for_account(account) if account.email_verified_at is None else None
    _mail(row.mail or "", account, link)


def _others_run(account: Account) -> bool:
    """Whether the person has another account that runs, for another organisation."""
    others = sa.select(Account.id).where(
        Account.user_id == account.user_id, Account.id != account.id, Account.state.in_(OPEN)
    )
    return session().execute(others).first() is not None


def _shut(account: Account, row: Transition, actor: str) -> None:
    links.revoke(account)
    users.take_place(account, actor)
    if account.user_id:
        sessions.end_all(account.user_id)
        if not _others_run(account):
            access.ended(account.user_id, actor)
    account.owe()
    _mail(row.mail or "", account)


def _tell(account: Account, row: Transition, actor: str) -> None:
    del actor
    _mail(row.mail or "", account)


def _activate(account: Account, row: Transition, actor: str) -> None:
    sendings.confirmed_elsewhere("account", account.id, actor)
    _tell(account, row, actor)


EFFECTS: dict[str, Callable[[Account, Transition, str], None]] = {
    "validate": _validate,
    "refuse": _tell,
    "activate": _activate,
    "suspend": _shut,
    "resume": _resume,
    "close": _shut,
    "expire": _shut,
}


def apply(account: Account, name: str, actor: str, reason: str = "") -> Transition:
    """Take an account (its row locked) through one transition, with all that follows.

    :param name: a transition of ``rules.MACHINE``
    :param actor: as in ``journal.record``
    :raises machine.TransitionError: not possible from the present state
    :raises GuardError: a condition does not hold, or a reason is missing
    """
    row = MACHINE.row(account.state, name)
    if row.reason and not reason.strip():
        raise GuardError("reason", tk._("Say why: the reason is part of the message that will leave."))
    if row.guard:
        GUARDS[row.guard](account)
    source = account.state
    account.reason = reason.strip() or None
    account.state, account.state_since = row.target, utcnow()
    session().flush()
    EFFECTS[name](account, row, actor)
    record(Event(row.event), actor, "account", account.id, account.organization_id,
           private={"reason": account.reason}, state_from=source, state_to=row.target,
           user_id=account.user_id)  # fmt: skip
    return row
