"""The actions on accounts: enter, show, list, and the one transition call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict
from sqlalchemy.exc import IntegrityError

from ckanext.dinamis_relais.accounts import effects, users
from ckanext.dinamis_relais.accounts.auth import may_moderate
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import LIVE, LONGEST, MACHINE, ROLES, clean_email, clean_text
from ckanext.dinamis_relais.authority import can, user_of
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator
from ckanext.dinamis_relais.transaction import one_commit

__all__ = [
    "dinamis_account_create",
    "dinamis_account_list",
    "dinamis_account_mine",
    "dinamis_account_show",
    "dinamis_account_transition",
]


def _email(value: Any) -> str:
    try:
        return clean_email(str(value))
    except ValueError as error:
        raise tk.Invalid(
            tk._("'{email}' is not an e-mail address. Example: prenom.nom@commune.fr.").format(email=value)
        ) from error


def _role(value: Any) -> str:
    if value not in ROLES:
        raise tk.Invalid(
            tk._("'{value}' is not possible. Choose one of: {names}.").format(value=value, names=", ".join(ROLES))
        )
    return str(value)


def _future_date(value: Any) -> Any:
    try:
        date = value if hasattr(value, "isoformat") else effects.parse_date(str(value))
    except ValueError as error:
        raise tk.Invalid(tk._("'{value}' is not a date. Example: 31/12/2027.").format(value=value)) from error
    if date < utcnow().date():
        raise tk.Invalid(tk._("The end date has passed already. Give a later one, or none."))
    return date


def _text(name: str, *, lines: bool = False) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = clean_text(str(value), lines=lines)
        if len(text) > LONGEST[name]:
            raise tk.Invalid(tk._("At most {number} characters, please.").format(number=LONGEST[name]))
        return text

    return check


def _needed(sentence: str) -> Callable[..., None]:
    def check(key: Any, data: Any, errors: Any, context: Any) -> None:
        del context
        value = data.get(key)
        if value is tk.missing or value is None or not str(value).strip():
            errors[key].append(sentence)
            raise tk.StopOnError

    return check


def _schema() -> dict[str, Any]:
    default, empty = validator("default"), validator("ignore_empty")
    organization = _needed(tk._("Choose the person's organisation."))
    address = _needed(tk._("Give the person's e-mail address: the invitation is sent there."))
    first, family = _needed(tk._("Give the person's first name.")), _needed(tk._("Give the person's family name."))
    return {
        "organization_id": [organization, validator("unicode_safe"), validator("convert_group_name_or_id_to_id")],
        "email": [address, _email],
        "given_name": [first, _text("given_name"), first],
        "family_name": [family, _text("family_name"), family],
        "function": [default(""), _text("function")],
        "purpose": [default(""), _text("purpose", lines=True)],
        "role": [default("member"), _role],
        "ends_on": [empty, _future_date],
    }


def _step_schema() -> dict[str, Any]:
    word = [validator("not_empty"), validator("unicode_safe")]
    return {"id": word, "transition": word, "reason": [validator("default")(""), _text("reason", lines=True)]}


def dictize(row: Account, user: model.User | None) -> dict[str, Any]:
    """An account, with what this user may do with it now."""
    group = model.Group.get(row.organization_id)
    names = ("id", "state", "organization_id", "user_id", "email", "given_name", "family_name", "function",
             "purpose", "role", "reason", "reference")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        "organization_name": group.name if group else None,
        "organization_title": group.title if group else None,
        "ends_on": isoformat(row.ends_on),
        "state_since": isoformat(row.state_since),
        "created_at": isoformat(row.created_at),
        "delivered": row.version > 0 and row.version == row.delivered_version,
        "delivery_error": row.last_error,
        "login": _login(row) if can(user, "account.moderate", row.organization_id) else None,
        "transitions": [
            {"name": t.name, "reason": t.reason}
            for t in MACHINE.allowed(row.state)
            if can(user, t.verb, row.organization_id)
        ],
    }


def _login(row: Account) -> str | None:
    """Name of the account's CKAN user, or of the one that would be taken since it has the address."""
    user = model.User.get(row.user_id) if row.user_id else users.by_email(row.email)
    return user.name if user else None


def dinamis_account_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Enter a person's account. Entered by PIGMA it is validated at once; by a referent it waits for PIGMA.

    :param organization_id: name or id of a member organisation
    :param email, given_name, family_name: the person
    :param function, purpose: what they do and what for, optional
    :param role: ``member`` (default) or ``referent``
    :param ends_on: last day of a contractor's account, optional
    :raises toolkit.ValidationError: by field; the organisation is no member; the person has an account there
    """
    tk.check_access("dinamis_account_create", context, data_dict)
    data = validated(data_dict, _schema(), context)
    user = user_of(context)
    actor = user.id if user else "system"
    with one_commit(), _collisions(data["email"]):
        membership = effects.active_membership(data["organization_id"])
        _refuse_second(data["organization_id"], data["email"])
        row = Account(id=new_id(), state=MACHINE.initial, membership_id=membership.id, created_by=actor, **data)
        session().add(row)
        session().flush()
        record(Event.ACCOUNT_REQUESTED, actor, "account", row.id, row.organization_id, role=row.role)
        if may_moderate(dict(context), row.organization_id):
            effects.apply(row, "validate", actor)
        session().flush()
    return dictize(row, user)


def _second(email: str) -> str:
    return tk._("{email} already has an account in this organisation. Open it from the list.").format(email=email)


@contextmanager
def _collisions(email: str) -> Iterator[None]:
    """Two people at once, for the same person or for a second user of the same name: told, never an internal error."""
    try:
        yield
    except IntegrityError as error:
        if "dinamis_account_live" in str(error):
            raise GuardError("email", _second(email)) from error
        text = tk._("Something else was entered at the same moment. Nothing was changed: please try again.")
        raise GuardError("id", text) from error


def _refuse_second(organization_id: str, email: str) -> None:
    query = sa.select(Account.id).where(
        Account.organization_id == organization_id, Account.email == email, Account.state.in_(LIVE)
    )
    if session().execute(query).first():
        raise GuardError("email", _second(email))


def dinamis_account_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Validate, refuse, suspend, resume, close … one account.

    :param id: the account
    :param transition: a name that ``dinamis_account_show`` lists under ``transitions``
    :param reason: needed wherever someone is told no
    :raises toolkit.ValidationError: names the present state and what is allowed, or the field that lacks
    """
    tk.check_access("dinamis_account_transition", context, data_dict)
    data = validated(data_dict, _step_schema(), context)
    name = data["transition"]
    query = sa.select(Account).where(Account.id == data["id"])
    row = session().execute(query.with_for_update().execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise tk.ObjectNotFound(tk._("This account does not exist."))
    user = user_of(context)
    with one_commit(), _collisions(row.email):
        step = MACHINE.row(row.state, name)
        if not context.get("ignore_auth") and not can(user, step.verb, row.organization_id):
            raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=step.verb))
        effects.apply(row, name, user.id if user else "system", data["reason"])
        session().flush()
    return dictize(row, user)


@tk.side_effect_free
def dinamis_account_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One account, with what may be done with it now (``transitions``)."""
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_account_show", context, data_dict)
    row = session().get(Account, str(id_))
    if row is None:
        raise tk.ObjectNotFound(tk._("This account does not exist."))
    return dictize(row, user_of(context))


@tk.side_effect_free
def dinamis_account_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Accounts, the oldest in its state first.

    :param organization_id: only this organisation's (needed for a referent)
    :param state: one state, or several separated by commas
    :param q: part of a name or of an address
    :returns: ``{"count", "results", "states"}``
    """
    tk.check_access("dinamis_account_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    user = user_of(context)
    query = sa.select(Account).join(model.Group, model.Group.id == Account.organization_id)
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(Account.organization_id == (group.id if group else ""))
    if params.get("q"):
        sought = re.sub(r"([\\%_])", r"\\\1", params["q"].strip())  # "_" is common in addresses, and no wildcard here
        names = sa.func.concat(Account.given_name, " ", Account.family_name)
        columns = (names, Account.email, model.Group.title)
        query = query.where(sa.or_(*(column.ilike(f"%{sought}%") for column in columns)))
    by_state = query.with_only_columns(Account.state, sa.func.count()).group_by(Account.state)
    states = dict(session().execute(by_state).all())
    if params.get("state"):
        query = query.where(Account.state.in_(params["state"].split(",")))
    found = listed(query, params, [Account.state_since, Account.id], lambda row: dictize(row, user))
    return {**found, "states": states}


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
    return {"count": len(rows), "results": [dictize(row, None) for row in rows]}
