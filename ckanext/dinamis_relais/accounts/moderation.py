"""The moderator's actions on one account: decide, correct, invite again, keep, hand over."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import db, membership
from ckanext.dinamis_relais.accounts import effects, schema, users
from ckanext.dinamis_relais.accounts.entry import collisions, live_account, second
from ckanext.dinamis_relais.accounts.listing import shown
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import LIVE, MACHINE, OPEN
from ckanext.dinamis_relais.authority import actor_of, can, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.journal import Event, lines, record
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit


def locked(id_: str) -> Account:
    """An account, its row held until the transaction ends."""
    return db.locked(Account, id_, tk._("This account does not exist."))


def _meanwhile(row: Account) -> str:
    """The sentence for the second of two moderators: who was first."""
    query = lines().where(JournalLine.object_id == row.id).order_by(JournalLine.id.desc()).limit(1)
    actor = session().execute(query.with_only_columns(JournalLine.actor)).scalar() or ""
    person = model.User.get(actor)
    return tk._("{who} has decided on this account meanwhile. Nothing was done twice: look at it again.").format(
        who=(person.fullname or person.name) if person else tk._("Somebody else")
    )


def dinamis_account_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Validate, refuse, suspend, resume, close … one account.

    :param id: the account
    :param transition: a name that ``dinamis_account_show`` lists under ``transitions``
    :param reason: needed wherever someone is told no
    :param role: another role than the one asked for (``validate`` only), optional
    :param seen: ``state_since`` as the moderator saw it, optional: when somebody decided meanwhile, nothing is done
    :raises toolkit.ValidationError: names the present state and what is allowed, or the field that lacks
    """
    return shown(decide(context, data_dict), user_of(context))


def decide(context: Context, data_dict: DataDict) -> Account:
    """As :func:`dinamis_account_transition`, for who needs no dictionary of the account: work in quantity."""
    tk.check_access("dinamis_account_transition", context, data_dict)
    data = validated(data_dict, schema.step(), context)
    user = user_of(context)
    row = locked(data["id"])
    name = data["transition"]
    with one_commit(), collisions(row.email):
        if data.get("seen") and data["seen"] != isoformat(row.state_since):
            raise GuardError("seen", _meanwhile(row))
        step = MACHINE.row(row.state, name)
        if not context.get("ignore_auth") and not can(user, step.verb, row.organization_id):
            raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=step.verb))
        if name == "validate" and data.get("role"):
            row.role = data["role"]
        effects.apply(row, name, actor_of(context), data["reason"])
        session().flush()
    return row


def _correct_address(row: Account, email: str) -> bool:
    """Give an account another address.

    :returns: True when an invitation has to leave again
    """
    if email == row.email:
        return False
    if row.email_verified_at and row.user_id:
        text = tk._("The person has opened this account with {email}: they change their address on their own page.")
        raise GuardError("email", text.format(email=row.email))
    other = live_account(row.organization_id, email)
    if other is not None and other.id != row.id:
        raise GuardError("email", second(email))
    row.email, row.email_verified_at = email, None
    user = model.User.get(row.user_id) if row.user_id else None
    if user is not None and row.user_is_ours:
        if users.by_email(email):
            # The login that we made is of no use: its person has one, and joins with it by the mailed link.
            users.retire(user)
            row.user_id, row.user_is_ours = None, False
        else:
            users.set_email(user, email)
    return row.state in OPEN


def dinamis_account_update(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Correct an account's details. A corrected address gets the invitation anew; the old link ends.

    :param id: the account
    :param email, given_name, family_name, function, purpose, role, ends_on: what changes; the rest stays
    :raises toolkit.ValidationError: by field; the account is over; the person opened it with this address
    """
    tk.check_access("dinamis_account_update", context, data_dict)
    data = validated(data_dict, schema.correction(), context)
    row = locked(data.pop("id"))
    actor = actor_of(context)
    with one_commit(), collisions(data.get("email", row.email)):
        if row.state not in LIVE:
            raise GuardError("id", tk._("This account is over. Enter the person again instead."))
        changed = sorted(name for name, value in data.items() if getattr(row, name) != value)
        again = _correct_address(row, data.pop("email", row.email))
        _change_role(row, data.pop("role", row.role), actor)
        for name, value in data.items():
            setattr(row, name, value)
        if changed:
            record(Event.ACCOUNT_CORRECTED, actor, "account", row.id, row.organization_id, fields=changed)
            if row.version:
                row.owe()
        if again:
            effects.invite(row)
        session().flush()
    return shown(row, user_of(context))


def _change_role(row: Account, role: str, actor: str) -> None:
    if role == row.role:
        return
    row.role = role
    if row.state in OPEN and row.user_id:
        users.take_grants(row, actor)
        users.give_place(row, actor)


def dinamis_account_invite(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Send the invitation again; the earlier link ends.

    :param id: an account that runs and that its person has not opened
    """
    tk.check_access("dinamis_account_invite", context, data_dict)
    row = locked(str(tk.get_or_bust(data_dict, "id")))
    with one_commit():
        if row.state not in OPEN:
            raise GuardError("id", tk._("This account does not run: there is nothing to invite to."))
        if row.charter_accepted_at:
            raise GuardError("id", tk._("The person has opened this account already: no invitation is needed."))
        effects.invite(row)
        record(Event.ACCOUNT_INVITED, actor_of(context), "account", row.id, row.organization_id)
    return shown(row, user_of(context))


def dinamis_account_keep(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Keep a dormant account: it is not proposed for closing again before the configured days have passed.

    :param id: the account
    """
    tk.check_access("dinamis_account_keep", context, data_dict)
    row = locked(str(tk.get_or_bust(data_dict, "id")))
    with one_commit():
        row.kept_at = utcnow()
        record(Event.ACCOUNT_KEPT, actor_of(context), "account", row.id, row.organization_id)
    return shown(row, user_of(context))


def dinamis_account_replace(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Replace a referent who left, in one step: the successor gets the role and what waited, the account is closed.

    What is handed over: the contact that the organisation's files name (messages about them go there), and the
    requests that the referent proposed and PIGMA has not decided.

    :param id: the referent's account
    :param successor_id: an account of the same organisation that runs
    :param reason: sent to the referent who leaves
    :returns: ``{"account", "successor", "files", "requests"}``
    """
    id_, successor_id = tk.get_or_bust(data_dict, ["id", "successor_id"])
    tk.check_access("dinamis_account_replace", context, data_dict)
    reason = validated({"id": id_, "transition": "close", "reason": data_dict.get("reason", "")},
                       schema.step(), context)["reason"]  # fmt: skip
    actor = actor_of(context)
    first, second_ = sorted((str(id_), str(successor_id)))
    rows = {one: locked(one) for one in dict.fromkeys((first, second_))}  # in one order, so that none waits for ever
    row, successor = rows[str(id_)], rows[str(successor_id)]
    with one_commit():
        _may_follow(row, successor)
        _change_role(successor, "referent", actor)
        successor.owe()
        person = {key: getattr(successor, key) for key in ("given_name", "family_name", "email")}
        files = membership.replace_referent(row.organization_id, person)
        requests = _hand_over_requests(row, successor)
        effects.apply(row, "close", actor, reason or tk._("Replaced as referent."))
        record(Event.ACCOUNT_HANDED_OVER, actor, "account", row.id, row.organization_id,
               successor_id=successor.id, files=files, requests=requests)  # fmt: skip
        session().flush()
    user = user_of(context)
    return {"account": shown(row, user), "successor": shown(successor, user), "files": files, "requests": requests}


def _may_follow(row: Account, successor: Account) -> None:
    if row.role != "referent":
        raise GuardError("id", tk._("This person is no referent: close the account instead."))
    if row.id == successor.id or successor.organization_id != row.organization_id or successor.state not in OPEN:
        raise GuardError("successor_id", tk._("Choose another person of the same organisation whose account runs."))


def _hand_over_requests(row: Account, successor: Account) -> int:
    if not row.user_id or not successor.user_id:
        return 0
    done = session().execute(
        sa.update(Account)
        .where(
            Account.organization_id == row.organization_id,
            Account.state == MACHINE.initial,
            Account.created_by == row.user_id,
        )
        .values(created_by=successor.user_id)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount
