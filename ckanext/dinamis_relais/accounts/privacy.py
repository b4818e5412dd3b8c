"""All that is held on one person: given to them, and erased once their accounts are over.

Regulation (EU) 2016/679, articles 15 and 20 (access, portability) and 17 (erasure). The journal keeps who did what
by identifiers only; texts that people typed are erased from it while its chain still verifies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import (
    access,
    alerts,
    config,
    imagery_requests,
    journal,
    membership,
    news,
    questions,
    use_cases,
)
from ckanext.dinamis_relais.accounts import users
from ckanext.dinamis_relais.accounts.model import Account, AccountLink
from ckanext.dinamis_relais.accounts.rules import LIVE, OVER
from ckanext.dinamis_relais.authority import actor_of, user_of
from ckanext.dinamis_relais.authority.model import RoleGrant
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import mailer, sendings
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit


def _all(query: Any) -> list[Any]:
    return list(session().execute(query).scalars())


def accounts_of(account_id: str | None, user: model.User | None) -> list[Account]:
    """The accounts of one person: those of a login, or those that share an account's login or proven address.

    :param account_id: one of them, for a moderator
    :param user: the person themselves
    """
    if account_id is None:
        return _all(sa.select(Account).where(Account.user_id == user.id).order_by(Account.created_at)) if user else []
    row = session().get(Account, account_id)
    if row is None:
        raise tk.ObjectNotFound(tk._("This account does not exist."))
    same = [Account.id == row.id]
    if row.user_id:
        same.append(Account.user_id == row.user_id)
    if row.email:
        same.append(Account.email == row.email)
    return _all(sa.select(Account).where(sa.or_(*same)).order_by(Account.created_at))


def _account(row: Account) -> dict[str, Any]:
    columns = (c.name for c in Account.__table__.columns)
    hidden = {"attempts", "next_attempt_at", "next_poll_at", "lease_until", "version", "delivered_version"}
    values = {name: getattr(row, name) for name in columns if name not in hidden}
    return {name: isoformat(v) if hasattr(v, "isoformat") else v for name, v in values.items()}


def _login(user: model.User | None) -> dict[str, Any] | None:
    if user is None:
        return None
    return {
        **{key: getattr(user, key) for key in ("id", "name", "fullname", "email", "about", "state")},
        "created": isoformat(user.created.replace(tzinfo=dt.timezone.utc)),
        "last_active": isoformat(user.last_active.replace(tzinfo=dt.timezone.utc)) if user.last_active else None,
    }


def _mail(row: Mail) -> dict[str, Any]:
    return {"at": isoformat(row.created_at), "to": row.recipient, "subject": row.subject, "text": row.body}


def _line(row: JournalLine) -> dict[str, Any]:
    return {"at": isoformat(row.at), "event": row.event, "object_type": row.object_type, "object_id": row.object_id}


def _grant(row: RoleGrant) -> dict[str, Any]:
    return {"role": row.role, "organization_id": row.organization_id, "granted_at": isoformat(row.granted_at),
            "revoked_at": isoformat(row.revoked_at)}  # fmt: skip


def dinamis_personal_data_export(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """All that the relay holds on one person: on oneself, or for a moderator on the person of an account; journalled.

    :param account_id: an account of the person; none for oneself
    :returns: ``{"made_at", "logins", "accounts", "mails", "roles", "journal", "named_in_files",
        "notes", "questions", "sent_to_dinamis", "registrations", "imagery_requests", "use_cases", "watched",
        "watched_mails"}`` and what the room of downloads holds (``access.held_on``); times in UTC
    """
    tk.check_access("dinamis_personal_data_export", context, data_dict)
    user = user_of(context)
    account_id = data_dict.get("account_id")
    rows = accounts_of(str(account_id) if account_id else None, user)
    ids = {row.user_id for row in rows if row.user_id} | ({user.id} if user and not account_id else set())
    addresses = {row.email for row in rows if row.email}
    things = {row.id for row in rows}
    if rows:
        with one_commit():
            record(Event.PERSONAL_DATA_EXPORTED, actor_of(context), "account", rows[0].id, rows[0].organization_id)
    asked, wanted = questions.personal_data(ids), imagery_requests.held_on(ids)
    about = sa.or_(Mail.recipient.in_(addresses), sa.and_(Mail.object_type == "account", Mail.object_id.in_(things)))
    about_them = sa.or_(JournalLine.actor.in_(ids), JournalLine.object_id.in_(things))
    return {
        "made_at": isoformat(utcnow()),
        "logins": [_login(one) for one in _all(sa.select(model.User).where(model.User.id.in_(ids)))],
        "accounts": [_account(row) for row in rows],
        "mails": [_mail(row) for row in _all(sa.select(Mail).where(about).order_by(Mail.created_at))],
        "roles": [_grant(row) for row in _all(sa.select(RoleGrant).where(RoleGrant.user_id.in_(ids)))],
        "journal": [_line(row) for row in _all(journal.lines().where(about_them).order_by(JournalLine.id))],
        "named_in_files": membership.named_in_files(addresses),
        "notes": membership.notes_by(ids),
        "questions": asked,
        "sent_to_dinamis": sendings.held_on({*things, *(one["id"] for one in (*asked, *wanted["imagery_requests"]))}),
        "registrations": news.personal_data(ids),
        **wanted,
        **use_cases.held_on(ids),
        **access.held_on(ids),
        **alerts.held_on(ids),
    }


def dinamis_erasure_request(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Ask PIGMA to erase what it holds on oneself; PIGMA is told by mail, and the person that it was.

    :returns: ``{"accounts"}``: how many accounts it is about
    """
    tk.check_access("dinamis_erasure_request", context, data_dict)
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to see your account."))
    query = sa.select(Account).where(Account.user_id == user.id, Account.erased_at.is_(None))
    with one_commit():
        rows = [row for row in _all(query.with_for_update()) if row.erasure_requested_at is None]
        if not rows:
            raise GuardError("id", tk._("Your request has reached PIGMA already, or there is nothing to erase."))
        for row in rows:
            row.erasure_requested_at = utcnow()
            record(Event.ACCOUNT_ERASURE_REQUESTED, user.id, "account", row.id, row.organization_id)
        first = rows[0]
        page = config.site_url() + tk.url_for("dinamis_accounts.read", id=first.id)
        thing = ("account", first.id, first.organization_id)
        values = {"person": f"{first.given_name} {first.family_name}", "page": page}
        mailer.write("account_erasure_requested", config.contact_email(), config.relay_name(), thing, values)
    return {"accounts": len(rows)}


def erase(row: Account, actor: str) -> None:
    """Erase the person's details of an account that is over; the caller commits.

    What stays: identifiers, states, dates and the organisation, by which the journal and the figures hold.
    """
    addresses = [row.email] if row.email else []
    row.given_name = row.family_name = row.email = row.function = row.purpose = ""
    row.reason, row.reference, row.erased_at = None, None, utcnow()
    journal.erase_private("account", row.id)
    session().execute(sa.delete(AccountLink).where(AccountLink.account_id == row.id)
                      .execution_options(synchronize_session=False))  # fmt: skip
    session().execute(
        sa.update(Mail)
        .where(Mail.object_type == "account", Mail.object_id == row.id, Mail.recipient.in_(addresses))
        .values(recipient="", recipient_name="", body="", secrets=None)
        .execution_options(synchronize_session=False)
    )
    sendings.forget("account", row.id)
    _erase_what_is_theirs(row, actor)
    _erase_login(row)
    record(Event.ACCOUNT_ERASED, actor, "account", row.id, row.organization_id)


def _erase_what_is_theirs(row: Account, actor: str) -> None:
    """A person's questions, linked login and basket go with their last account: they belong to the login."""
    if not row.user_id:
        return
    others = sa.select(Account.id).where(
        Account.user_id == row.user_id, Account.id != row.id, Account.erased_at.is_(None)
    )
    session().flush()
    if session().execute(others).first() is None:
        questions.erase_person(row.user_id, actor)
        news.erase_person(row.user_id, actor)
        imagery_requests.erase(row.user_id, actor)
        use_cases.erase(row.user_id, actor)
        access.erase(row.user_id, actor)
        alerts.erase(row.user_id, actor)


def _erase_login(row: Account) -> None:
    """The login that we made goes with its last account, unless CKAN's people gave it something to do."""
    user = model.User.get(row.user_id) if row.user_id else None
    if user is None or not row.user_is_ours or user.sysadmin:
        return
    others = sa.select(Account.id).where(Account.user_id == user.id, Account.id != row.id, Account.erased_at.is_(None))
    places = sa.select(model.Member.id).where(
        model.Member.table_id == user.id, model.Member.table_name == "user", model.Member.state == "active"
    )
    if session().execute(others).first() or session().execute(places).first():
        return
    users.retire(user)
    user.name, user.email = f"efface-{user.id[:8]}", None
    for name in ("fullname", "about", "image_url"):
        setattr(user, name, None)


def _refuse_live(rows: Iterable[Account]) -> None:
    if any(row.state in LIVE for row in rows):
        text = tk._("This person has an account that is not over. Close or refuse it first: the person is told why.")
        raise GuardError("account_id", text)


def dinamis_personal_data_erase(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Erase the details of a person whose accounts are all over. This cannot be undone.

    :param account_id: an account of the person
    :returns: ``{"accounts"}``: how many were erased
    :raises toolkit.ValidationError: an account of the person still runs, or waits for a decision
    """
    tk.check_access("dinamis_personal_data_erase", context, data_dict)
    rows = accounts_of(str(tk.get_or_bust(data_dict, "account_id")), None)
    with one_commit():
        _refuse_live(rows)
        due = [row for row in rows if row.erased_at is None]
        for row in due:
            erase(row, actor_of(context))
        session().flush()
    return {"accounts": len(due)}


def erase_due() -> int:
    """Erase the details of accounts that ended long enough ago (``erasure_days``); each in its own transaction.

    :returns: how many
    """
    days = config.erasure_days()
    if days <= 0:
        return 0
    query = sa.select(Account.id).where(
        Account.state.in_(OVER), Account.erased_at.is_(None), Account.state_since < utcnow() - dt.timedelta(days=days)
    )
    done = 0
    for id_ in _all(query):
        row = session().get(Account, id_, with_for_update=True, populate_existing=True)
        if row is not None and row.erased_at is None and row.state in OVER:
            erase(row, "system")
            done += 1
        session().commit()
    return done
