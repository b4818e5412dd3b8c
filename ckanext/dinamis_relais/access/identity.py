"""Linking one's DINAMIS login: by the device flow (RFC 8628) or by a key pair; tried once, then kept encrypted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import accounts, throttle
from ckanext.dinamis_relais.access import catalogue, links
from ckanext.dinamis_relais.access.model import DeviceCode, IdentityLink
from ckanext.dinamis_relais.access.outcome import said
from ckanext.dinamis_relais.access.service import CodeOverError, DeclinedError, NeedsLoginError
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.secrets import decrypt, encrypt
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit

#: Tries of a link, and of a key pair, that one person may make in an hour.
TRIES_AN_HOUR = 20
#: Longest key that is taken.
LONGEST_KEY = 500


def person(context: Context) -> Any:
    """The logged-in user.

    :raises toolkit.NotAuthorized: nobody is logged in
    """
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to see your account."))
    return user


def _needs_account(user_id: str, *, locked: bool = False) -> None:
    if not accounts.active_organizations(user_id, locked=locked):
        text = tk._("You need an active DINAMIS account first: your page says where yours stands, and what is missing.")
        raise GuardError("account", text)


def _may_try(user_id: str) -> None:
    if not throttle.allowed("identity-link", user_id, TRIES_AN_HOUR):
        raise GuardError("identity", tk._("That is many tries in an hour. Wait a while, or write to PIGMA."))


def dinamis_identity_link_start(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Begin to link one's DINAMIS login: DINAMIS shows a page on which the person says yes.

    :returns: ``{"state": "pending", "user_code", "page", "interval", "expires_at"}``: the page to open, the code that
        stands there, seconds between two calls of ``dinamis_identity_link_finish``
    :raises toolkit.ValidationError: no active account (``account``), or no answer (``service``)
    """
    tk.check_access("dinamis_identity_link_start", context, data_dict)
    user_id = person(context).id
    with one_commit():
        _needs_account(user_id)
        _may_try(user_id)
    with said():
        device = links.service().begin()
    with one_commit():
        row = session().get(DeviceCode, user_id) or DeviceCode(user_id=user_id)
        row.secret, row.user_code, row.page = encrypt({"code": device.code}), device.user_code, device.page
        row.interval, row.expires_at = device.interval, utcnow() + dt.timedelta(seconds=device.seconds)
        session().add(row)
    return _pending(row)


def _pending(row: DeviceCode) -> dict[str, Any]:
    return {"state": "pending", "user_code": row.user_code, "page": row.page, "interval": row.interval,
            "expires_at": isoformat(row.expires_at)}  # fmt: skip


def dinamis_identity_link_finish(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """End what was begun, once the person has said yes; or link a key pair, which is tried on the spot.

    :param access_key: of a key pair that DINAMIS's service gave the person; none for the device flow
    :param secret_key: its secret
    :returns: as ``dinamis_identity_link_show``; its ``state`` stays ``pending`` while DINAMIS waits for the person
    :raises toolkit.ValidationError: says what is wrong and what to do
    """
    tk.check_access("dinamis_identity_link_finish", context, data_dict)
    user_id = person(context).id
    with one_commit():
        _needs_account(user_id)
    if data_dict.get("access_key") or data_dict.get("secret_key"):
        _finish_keys(user_id, data_dict)
    else:
        _finish_device(user_id)
    return _show(user_id)


def _finish_keys(user_id: str, data_dict: DataDict) -> None:
    keys = {name: str(data_dict.get(name) or "").strip() for name in ("access_key", "secret_key")}
    with one_commit():
        for name, value in keys.items():
            if not value or len(value) > LONGEST_KEY or not value.isascii() or not value.isprintable():
                raise GuardError(name, tk._("Copy the key as DINAMIS's service showed it: both parts are needed."))
        _may_try(user_id)
    url = catalogue.any_url()
    if url is None:
        text = tk._("The catalogue holds no image yet, so that a key cannot be tried. Link by DINAMIS's page instead.")
        raise tk.ValidationError({"access_key": [text]})
    headers = {"access-key": keys["access_key"], "secret-key": keys["secret_key"]}
    try:
        with said():
            links.service().sign([[url]], headers)
    except tk.ValidationError as error:
        if isinstance(error.__cause__, NeedsLoginError):
            text = tk._("DINAMIS does not know this pair of keys. Copy both parts again, or make a new pair.")
            raise tk.ValidationError({"access_key": [text]}) from error
        raise
    with one_commit():
        _needs_account(user_id, locked=True)
        links.store(user_id, "keys", keys, None, None)


def _finish_device(user_id: str) -> None:
    row = session().get(DeviceCode, user_id, populate_existing=True)
    if row is None:
        if links.of(user_id) is not None:
            return  # another window ended it first
        raise tk.ValidationError({"identity": [tk._("No link is under way. Begin again.")]})
    if row.expires_at <= utcnow():
        raise tk.ValidationError({"identity": [_over(user_id)]})
    code = decrypt(row.secret)["code"]
    session().rollback()
    client = links.service()
    try:
        with said():
            tokens = client.tokens(code)
            if tokens is None:
                return
            username = client.person(tokens.access)
    except tk.ValidationError as error:
        if isinstance(error.__cause__, DeclinedError):
            text = tk._("On DINAMIS's page, the answer was no. Nothing was linked. Begin again if that was a slip.")
        elif isinstance(error.__cause__, CodeOverError):
            if links.of(user_id) is not None and session().get(DeviceCode, user_id, populate_existing=True) is None:
                return
            text = _over(user_id)
        else:
            raise
        _drop(user_id)
        raise tk.ValidationError({"identity": [text]}) from error
    with one_commit():
        _needs_account(user_id, locked=True)
        # A suspension drops the row: what began before it does not end after it.
        if session().get(DeviceCode, user_id, with_for_update=True, populate_existing=True) is None:
            raise GuardError("identity", tk._("No link is under way. Begin again."))
        links.store(user_id, "device", links.token_secret(tokens), username, tokens.renewable_until)


def _over(user_id: str) -> str:
    _drop(user_id)
    return tk._("The code's time is over. Begin again: a new code takes a moment.")


def _drop(user_id: str) -> None:
    session().execute(sa.delete(DeviceCode).where(DeviceCode.user_id == user_id))
    session().commit()


@tk.side_effect_free
def dinamis_identity_link_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Whether one's DINAMIS login is linked; never a secret.

    :returns: ``{"state"}``: ``none``, ``pending`` (with ``user_code, page, interval, expires_at``), ``linked`` or
        ``refused`` (with ``kind, username, linked_at, used_at, expires_at``)
    """
    tk.check_access("dinamis_identity_link_show", context, data_dict)
    return _show(person(context).id)


def _show(user_id: str) -> dict[str, Any]:
    waiting = session().get(DeviceCode, user_id, populate_existing=True)
    if waiting is not None and waiting.expires_at > utcnow():
        return _pending(waiting)
    row = links.of(user_id)
    return {"state": "none"} if row is None else as_dict(row)


def as_dict(row: IdentityLink) -> dict[str, Any]:
    """A link without its secret."""
    return {
        "state": "refused" if row.refused_at else "linked", "kind": row.kind, "username": row.username,
        "linked_at": isoformat(row.linked_at), "used_at": isoformat(row.used_at),
        "expires_at": isoformat(row.expires_at),
    }  # fmt: skip


def dinamis_identity_link_delete(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Unlink one's DINAMIS login, and end a link under way.

    :returns: ``{"state": "none"}``
    """
    tk.check_access("dinamis_identity_link_delete", context, data_dict)
    user_id = person(context).id
    with one_commit():
        links.unlink(user_id, user_id, "person")
    return {"state": "none"}
