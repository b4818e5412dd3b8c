"""Accounts as they are shown: a whole page of them with a few queries, each with what helps to decide."""

from __future__ import annotations

import datetime as dt
import re
from operator import attrgetter
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.known import Known, dormant_clause
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE, OPEN
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

_PLAIN = ("id", "state", "organization_id", "user_id", "email", "given_name", "family_name", "function", "purpose",
          "role", "reason", "reference", "origin", "charter_version")  # fmt: skip
_MOMENTS = ("ends_on", "state_since", "created_at", "email_verified_at", "charter_accepted_at",
            "erasure_requested_at", "erased_at")  # fmt: skip
#: All of them at once: a page of rows reads hundreds.
_plain, _moments = attrgetter(*_PLAIN), attrgetter(*_MOMENTS)
#: What only a moderator sees, as others find it.
_UNSEEN = {"login": None, "last_active": None, "dormant": False, "mail_problem": None, "signals": []}


def dictize(row: Any, known: Known) -> dict[str, Any]:
    """An account, with what its reader may do with it now.

    :param row: an :class:`Account`, or a row of its table
    """
    around, moderator = known.around(row), known.moderates(row)
    active = around.last_active
    seen = {
        "login": around.user_name or around.login,
        "last_active": isoformat(active.replace(tzinfo=dt.timezone.utc)) if active else None,
        "dormant": around.dormant,
        "mail_problem": around.mail_problem,
        "signals": [{"kind": s.kind, "level": s.level, "values": s.values} for s in known.signals(row)],
    }
    return {
        **dict(zip(_PLAIN, _plain(row), strict=True)),
        **dict(zip(_MOMENTS, map(isoformat, _moments(row)), strict=True)),
        "organization_name": around.group_name,
        "organization_title": around.group_title,
        "delivered": row.version > 0 and row.version == row.delivered_version,
        "delivery_error": row.last_error,
        **(seen if moderator else _UNSEEN),
        "transitions": [
            {"name": t.name, "reason": t.reason}
            for t in MACHINE.allowed(row.state)
            if known.rights.can(t.verb, row.organization_id)
        ],
    }


def shown(row: Account, user: model.User | None) -> dict[str, Any]:
    """One account, as :func:`dictize`."""
    return dictize(row, Known([row], user))


def dormant() -> Any:
    """SQL: an account whose person has not come since the configured days; ``false`` when it is 0."""
    days = config.dormant_days()
    return dormant_clause(utcnow() - dt.timedelta(days=days)) if days > 0 else sa.false()


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
    return query.where(dormant()) if params.get("dormant") else query


def filters() -> dict[str, Any]:
    """The parameters of :func:`dinamis_account_list`."""
    text = [validator("ignore_missing"), validator("unicode_safe")]
    return {**list_schema(), "ids": text, "dormant": [validator("ignore_missing"), validator("boolean_validator")]}


def _count_dormant(query: Any) -> int:
    # Apart: to look for dormant ones among all that are counted costs more than to count a second time.
    return session().execute(query.where(dormant()).with_only_columns(sa.func.count())).scalar()


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
    sleeping = _count_dormant(query) if any(states.get(state) for state in OPEN) else 0
    # A group for each state was counted just now: their sum needs no second scan.
    wanted = params["state"].split(",") if params.get("state") else list(states)
    count = None if params.get("dormant") else sum(states.get(state, 0) for state in set(wanted))
    order = [Account.state_since, Account.id]
    wanted_rows = narrowed(query, params).with_only_columns(Account.__table__)
    found = listed(wanted_rows, params, order, lambda row: row, count, plain=True)
    known = Known(found["results"], user)
    results = [dictize(row, known) for row in found["results"]]
    # In the machine's order, so that the pages name the states as the procedure does.
    ordered = {state: states[state] for state in MACHINE.states if state in states}
    return {"count": found["count"], "results": results, "states": ordered, "dormant": sleeping}


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
