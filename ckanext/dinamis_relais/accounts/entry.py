"""How accounts come in: entered by PIGMA or a referent, or asked for by the person, who proves the address first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict
from sqlalchemy.exc import IntegrityError

from ckanext.dinamis_relais import config, throttle
from ckanext.dinamis_relais.accounts import effects, links, schema
from ckanext.dinamis_relais.accounts.auth import may_moderate
from ckanext.dinamis_relais.accounts.listing import shown
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import LIVE, MACHINE
from ckanext.dinamis_relais.authority import actor_of, user_of
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit


def second(email: str) -> str:
    """The sentence for a second account of the same person in the same organisation."""
    return tk._("{email} already has an account in this organisation. Open it from the list.").format(email=email)


@contextmanager
def collisions(email: str) -> Iterator[None]:
    """Two people at once, for the same person or for a second user of the same name: told, never an internal error."""
    try:
        yield
    except IntegrityError as error:
        if "dinamis_account_live" in str(error):
            raise GuardError("email", second(email)) from error
        text = tk._("Something else was entered at the same moment. Nothing was changed: please try again.")
        raise GuardError("id", text) from error


def live_account(organization_id: str, email: str) -> Account | None:
    """The account that an address holds in an organisation now."""
    query = sa.select(Account).where(
        Account.organization_id == organization_id, Account.email == email, Account.state.in_(LIVE)
    )
    return session().execute(query).scalar_one_or_none()


def add(data: dict[str, Any], origin: str, actor: str, *, validate: bool, **more: Any) -> Account:
    """Enter an account in the present transaction; the caller commits.

    :param data: as :func:`schema.person` gives it
    :param origin: one of ``rules.ORIGINS``
    :param validate: True when nobody else has to look
    :raises GuardError: the organisation is no member, or the person has an account there
    """
    membership = effects.active_membership(data["organization_id"])
    if live_account(data["organization_id"], data["email"]):
        raise GuardError("email", second(data["email"]))
    row = Account(id=new_id(), state=MACHINE.initial, state_since=utcnow(), membership_id=membership.id,
                  created_by=actor, origin=origin, **data, **more)  # fmt: skip
    session().add(row)
    session().flush()
    record(Event.ACCOUNT_REQUESTED, actor, "account", row.id, row.organization_id, role=row.role, origin=origin)
    if validate:
        effects.apply(row, "validate", actor)
    session().flush()
    return row


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
    data = validated(data_dict, schema.person(), context)
    mine = may_moderate(dict(context), data["organization_id"])
    with one_commit(), collisions(data["email"]):
        row = add(data, "pigma" if mine else "referent", actor_of(context), validate=mine)
    return shown(row, user_of(context))


def _mail(name: str, data: dict[str, Any], link: str | None) -> None:
    group = model.Group.get(data["organization_id"])
    values = {"organization": group.title if group else "", "hours": config.request_link_hours()}
    person = f"{data['given_name']} {data['family_name']}"
    mailer.write(name, data["email"], person, ("account", "", data["organization_id"]), values, link)


def dinamis_account_request(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Ask for an account oneself. A link is mailed; the request exists once it was opened and confirmed.

    The answer is the same whether or not the address is known, has an account, or was written to too often.

    :param organization_id, email, given_name, family_name, function, purpose, ends_on: as ``dinamis_account_create``
    :returns: ``{"sent": True, "email"}``
    :raises toolkit.ValidationError: by field, or ``throttle`` when this network address asks too often
    """
    tk.check_access("dinamis_account_request", context, data_dict)
    data = validated({**data_dict, "role": "member"}, schema.person(), context)
    if tk.request and not throttle.allowed("request", throttle.client(), config.requests_per_client()):
        raise tk.ValidationError({"throttle": [tk._("Too many requests from here. Try again in an hour.")]})
    with one_commit():
        effects.active_membership(data["organization_id"])
        if throttle.allowed("request-mail", data["email"], config.requests_per_address()):
            fields = {**data, "ends_on": isoformat(data.get("ends_on"))}
            _mail("account_request_confirm", data, links.for_request(data["email"], fields))
    return {"sent": True, "email": data["email"]}


@tk.side_effect_free
def dinamis_account_request_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What the holder of a mailed link asked for, and whether it may still be confirmed.

    :param token: from the mail's address
    :returns: ``{"status", "organization_title", "email", …}``
    """
    tk.check_access("dinamis_account_request_show", context, data_dict)
    link = links.by_token(links.REQUEST, tk.get_or_bust(data_dict, "token"))
    fields = link.fields or {}
    group = model.Group.get(fields.get("organization_id") or "")
    keys = ("given_name", "family_name", "function", "purpose", "ends_on")
    return {
        "status": links.status(link),
        "email": link.email,
        "organization_title": group.title if group else "",
        **{key: fields.get(key) or "" for key in keys},
    }


def _claimed(context: Context) -> dict[str, Any]:
    """The login that confirmed, if any: it opened the mailed link, so the address is its own."""
    user = user_of(context)
    return {"user_id": user.id} if user else {}


def dinamis_account_request_confirm(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Confirm one's own request: the address is proven, the request goes to PIGMA.

    :param token: from the mail's address
    :returns: ``{"state": "requested"}``
    :raises toolkit.ValidationError: the link was used or has expired; the person has an account there already
    """
    tk.check_access("dinamis_account_request_confirm", context, data_dict)
    link = links.by_token(links.REQUEST, tk.get_or_bust(data_dict, "token"), lock=True)
    with one_commit(), collisions(link.email):
        if links.status(link) != "open":
            raise GuardError("token", _unusable(links.status(link)))
        fields = dict(link.fields or {})
        if fields.get("ends_on"):
            fields["ends_on"] = schema.parse_date(fields["ends_on"])
        row = add(fields, "person", "person", validate=False, email_verified_at=utcnow(), **_claimed(context))
        link.used_at, link.account_id, link.fields = utcnow(), row.id, None
    return {"state": row.state}


def _unusable(status: str) -> str:
    return {
        "used": tk._("This request is confirmed already: PIGMA has it, and writes to you."),
        "expired": tk._("This link has expired. Send your request again: it takes a minute."),
    }.get(status, tk._("This link is not valid any more."))
