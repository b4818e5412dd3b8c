"""Accounts as they are shown: a whole page of them with a few queries, each with what helps to decide."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config, membership
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import LIVE, MACHINE, OPEN
from ckanext.dinamis_relais.accounts.signals import Facts, domain_of, signals
from ckanext.dinamis_relais.authority import Rights, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

_PLAIN = ("id", "state", "organization_id", "user_id", "email", "given_name", "family_name", "function", "purpose",
          "role", "reason", "reference", "origin", "charter_version")  # fmt: skip
#: When a user was last seen, in UTC without a zone; CKAN maps the column where its types do not show it.
LAST_ACTIVE: Any = cast(Any, model.User).last_active
_MOMENTS = ("ends_on", "state_since", "created_at", "email_verified_at", "charter_accepted_at",
            "erasure_requested_at", "erased_at")  # fmt: skip


def _rows(*columns: Any, where: Any) -> list[Any]:
    return list(session().execute(sa.select(*columns).where(where)))


class Known:
    """What the dictionaries of some accounts need besides their rows, read once for all of them.

    :param rows: the accounts
    :param user: who looks; None for somebody without rights
    """

    def __init__(self, rows: Sequence[Account], user: model.User | None):
        self.rights = Rights(user)
        organizations = {row.organization_id for row in rows}
        groups = _rows(model.Group.id, model.Group.name, model.Group.title, where=model.Group.id.in_(organizations))
        self.groups = {id_: (name, title) for id_, name, title in groups}
        seen = [row for row in rows if self.rights.can("account.moderate", row.organization_id)]
        self._read_users(rows, seen)
        self.problems = _mail_problems(seen)
        running = [row.id for row in seen if row.state in OPEN]
        slept = sa.and_(Account.id.in_(running), dormant_clause())
        self.dormant = {id_ for (id_,) in _rows(Account.id, where=slept)} if running else set()
        self.facts = self._read_facts([row for row in seen if row.state == MACHINE.initial])

    def _read_users(self, rows: Sequence[Account], seen: Sequence[Account]) -> None:
        ids = {row.user_id for row in rows if row.user_id}
        addresses = {row.email for row in seen if not row.user_id and row.email}
        columns = (model.User.id, model.User.name, sa.func.lower(model.User.email), LAST_ACTIVE)
        found = _rows(*columns, where=model.User.id.in_(ids)) if ids else []
        self.users = {id_: (name, active) for id_, name, _email, active in found}
        active = sa.and_(sa.func.lower(model.User.email).in_(addresses), model.User.state == "active")
        self.logins = {email: name for _i, name, email, _a in _rows(*columns, where=active)} if addresses else {}

    def _read_facts(self, rows: Sequence[Account]) -> dict[str, Facts]:
        if not rows:
            return {}
        organizations = {row.organization_id for row in rows}
        states, domains = membership.states_of(organizations), _domains(organizations)
        alike = _alike(rows)
        people = _names(alike)
        same = [(one.id, one.email, one.organization_id, one.state) for one in alike]
        public = config.public_mailboxes()
        return {
            row.id: Facts(
                row.email,
                frozenset(domains.get(row.organization_id, ())),
                public,
                states.get(row.organization_id) == "active",
                row.email_verified_at is not None,
                row.origin == "person",
                self.logins.get(row.email),
                self._elsewhere(row, same),
                sum(email == row.email and state == "refused" for _id, email, _org, state in same),
                len(people.get((row.organization_id, _name(row.given_name, row.family_name)), set()) - {row.id}) > 0,
            )
            for row in rows
        }

    def _elsewhere(self, row: Account, same: Iterable[Any]) -> tuple[str, ...]:
        ids = {org for _i, email, org, state in same
               if email == row.email and org != row.organization_id and state in (*OPEN, "suspended")}  # fmt: skip
        if not ids:
            return ()
        return tuple(title for (title,) in _rows(model.Group.title, where=model.Group.id.in_(ids)))


def _domains(organizations: Iterable[str]) -> dict[str, set[str]]:
    """Domains that the organisations' people are known to use; a request's own is none."""
    found = {
        org: {domain_of(a) for a in addresses} for org, addresses in membership.addresses_of(organizations).items()
    }
    part = sa.func.split_part(Account.email, "@", 2)
    proven = sa.and_(Account.organization_id.in_(organizations), Account.state.in_((*OPEN, "suspended")))
    for organization_id, domain in session().execute(sa.select(Account.organization_id, part).where(proven).distinct()):
        found.setdefault(organization_id, set()).add(domain)
    return found


def _name(given_name: str, family_name: str) -> str:
    return f"{given_name} {family_name}".casefold()


def _alike(rows: Sequence[Account]) -> list[Any]:
    """Accounts with the address of one of these, and those that bear its name in its organisation."""
    # The database narrows by its own small letters, what it gives is compared as people would.
    small = sa.func.lower(sa.func.concat(Account.given_name, " ", Account.family_name))
    named = sa.and_(
        Account.organization_id.in_({row.organization_id for row in rows}),
        Account.state.in_(LIVE),
        small.in_({f"{row.given_name} {row.family_name}".lower() for row in rows}),
    )
    columns = (Account.id, Account.email, Account.organization_id, Account.state, Account.given_name,
               Account.family_name)  # fmt: skip
    return _rows(*columns, where=sa.or_(Account.email.in_({row.email for row in rows}), named))


def _names(alike: Iterable[Any]) -> dict[tuple[str, str], set[str]]:
    """Live accounts by organisation and name: their ids."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in alike:
        if one.state in LIVE:
            found.setdefault((one.organization_id, _name(one.given_name, one.family_name)), set()).add(one.id)
    return found


def _mail_problems(rows: Sequence[Account]) -> dict[str, str]:
    """The last message that could not be delivered to each account's present address."""
    if not rows:
        return {}
    address = {row.id: row.email for row in rows}
    refused = sa.and_(Mail.object_type == "account", Mail.object_id.in_(address), Mail.failed_at.is_not(None))
    found = _rows(Mail.object_id, Mail.recipient, Mail.last_error, where=refused)
    return {id_: error or "" for id_, recipient, error in found if recipient == address[id_]}


def dictize(row: Account, known: Known) -> dict[str, Any]:
    """An account, with what its reader may do with it now."""
    name, title = known.groups.get(row.organization_id, (None, None))
    moderator = known.rights.can("account.moderate", row.organization_id)
    login, last_active = known.users.get(row.user_id, (known.logins.get(row.email), None))
    facts = known.facts.get(row.id)
    return {
        **{key: getattr(row, key) for key in _PLAIN},
        **{key: isoformat(getattr(row, key)) for key in _MOMENTS},
        "organization_name": name,
        "organization_title": title,
        "delivered": row.version > 0 and row.version == row.delivered_version,
        "delivery_error": row.last_error,
        "login": login if moderator else None,
        "last_active": isoformat(last_active.replace(tzinfo=dt.timezone.utc)) if moderator and last_active else None,
        "dormant": row.id in known.dormant,
        "mail_problem": known.problems.get(row.id),
        "signals": [{"kind": s.kind, "level": s.level, "values": s.values} for s in (signals(facts) if facts else ())],
        "transitions": [
            {"name": t.name, "reason": t.reason}
            for t in MACHINE.allowed(row.state)
            if known.rights.can(t.verb, row.organization_id)
        ],
    }


def shown(row: Account, user: model.User | None) -> dict[str, Any]:
    """One account, as :func:`dictize`."""
    return dictize(row, Known([row], user))


def dormant_clause() -> Any:
    """SQL: an account that runs and whose person has not come since the configured days; ``false`` when it is 0."""
    days = config.dormant_days()
    if days <= 0:
        return sa.false()
    since = utcnow() - dt.timedelta(days=days)
    visited = (
        sa.select(model.User.id)
        .where(model.User.id == Account.user_id, since.replace(tzinfo=None) <= LAST_ACTIVE)
        .exists()
    )
    return sa.and_(
        Account.state.in_(OPEN),
        Account.validated_at < since,
        sa.or_(Account.kept_at.is_(None), Account.kept_at < since),
        ~visited,
    )


def selected(params: dict[str, Any]) -> Any:
    """The ``select`` of the accounts that a list's parameters name, without its state."""
    query = sa.select(Account)
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(Account.organization_id == (group.id if group else ""))
    if params.get("ids"):
        query = query.where(Account.id.in_(params["ids"].split(",")))
    if params.get("q"):
        sought = re.sub(r"([\\%_])", r"\\\1", params["q"].strip())  # "_" is common in addresses, and no wildcard here
        names = sa.func.concat(Account.given_name, " ", Account.family_name)
        columns = (names, Account.email, model.Group.title)
        # Only a search by title needs the organisations; to count by state, joining them costs more than the counting.
        query = query.join(model.Group, model.Group.id == Account.organization_id)
        query = query.where(sa.or_(*(column.ilike(f"%{sought}%") for column in columns)))
    return query


def narrowed(query: Any, params: dict[str, Any]) -> Any:
    """The same, of the states (and of the dormancy) that are asked for."""
    if params.get("state"):
        query = query.where(Account.state.in_(params["state"].split(",")))
    return query.where(dormant_clause()) if params.get("dormant") else query


def filters() -> dict[str, Any]:
    """The parameters of :func:`dinamis_account_list`."""
    text = [validator("ignore_missing"), validator("unicode_safe")]
    return {**list_schema(), "ids": text, "dormant": [validator("ignore_missing"), validator("boolean_validator")]}


@tk.side_effect_free
def dinamis_account_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One account, with what may be done with it now (``transitions``) and what helps to decide (``signals``)."""
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_account_show", context, data_dict)
    row = session().get(Account, str(id_))
    if row is None:
        raise tk.ObjectNotFound(tk._("This account does not exist."))
    return shown(row, user_of(context))


@tk.side_effect_free
def dinamis_account_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Accounts, the oldest in its state first.

    :param organization_id: only this organisation's (needed for a referent)
    :param state: one state, or several separated by commas
    :param dormant: only accounts that run and that nobody has used for the configured days
    :param ids: only these accounts, separated by commas
    :param q: part of a name or of an address
    :returns: ``{"count", "results", "states", "dormant"}``; ``states`` counts the same search by state
    """
    tk.check_access("dinamis_account_list", context, data_dict)
    params = validated(data_dict, filters(), context)
    user = user_of(context)
    query = selected(params)
    by_state = query.with_only_columns(Account.state, sa.func.count()).group_by(Account.state)
    states = dict(session().execute(by_state).all())
    # Apart: to look for dormant ones among all that are counted costs more than to count a second time.
    dormant = session().execute(query.where(dormant_clause()).with_only_columns(sa.func.count())).scalar()
    # A group for each state was counted just now: their sum needs no second scan.
    wanted = params["state"].split(",") if params.get("state") else list(states)
    count = None if params.get("dormant") else sum(states.get(state, 0) for state in set(wanted))
    order = [Account.state_since, Account.id]
    found = listed(narrowed(query, params), params, order, lambda row: row, count)
    known = Known(found["results"], user)
    results = [dictize(row, known) for row in found["results"]]
    # In the machine's order, so that the pages name the states as the procedure does.
    ordered = {state: states[state] for state in MACHINE.states if state in states}
    return {"count": found["count"], "results": results, "states": ordered, "dormant": dormant}


@tk.side_effect_free
def dinamis_account_mine(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """My own accounts, the newest first; nobody else's.

    :returns: ``{"count", "results"}``
    """
    tk.check_access("dinamis_account_mine", context, data_dict)
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to see your account."))
    query = sa.select(Account).where(Account.user_id == user.id).order_by(Account.created_at.desc())
    rows = list(session().execute(query).scalars())
    known = Known(rows, None)
    return {"count": len(rows), "results": [dictize(row, known) for row in rows]}
