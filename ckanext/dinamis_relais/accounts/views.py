"""Pages of accounts: PIGMA's queue, entry, one account, and a person's own page."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.web import PAGE_SIZE, act, flash, offset, page

__all__ = ["dinamis_accounts"]

dinamis_accounts = Blueprint("dinamis_accounts", __name__)

FIELDS = ("organization_id", "email", "given_name", "family_name", "function", "purpose", "role", "ends_on")


@dinamis_accounts.get("/dinamis/moderation/accounts", endpoint="queue")
@page
def queue() -> Any:
    """Accounts to decide on, the oldest first."""
    tk.check_access("dinamis_account_transition", {"user": tk.current_user.name}, {})
    state, q = tk.request.args.get("state", ""), tk.request.args.get("q", "")
    found = act("dinamis_account_list", state=state, q=q, limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/accounts/queue.html", {"found": found, "state": state, "q": q, "page_size": PAGE_SIZE})


@dinamis_accounts.route("/dinamis/accounts/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Enter a person: PIGMA for any member, a referent for their own organisation."""
    form = tk.request.form
    organization = form.get("organization_id") or tk.request.args.get("organization_id", "")
    tk.check_access("dinamis_account_create", {"user": tk.current_user.name}, {"organization_id": organization})
    errors: dict[str, Any] = {}
    if tk.request.method == "POST":
        data = {name: form.get(name, "").strip() for name in FIELDS}
        try:
            account = act("dinamis_account_create", **data)
        except tk.ValidationError as error:
            errors = error.error_dict
        else:
            if account["state"] == "requested":
                tk.h.flash_success(tk._("The request is sent to PIGMA, which validates it."))
            else:
                tk.h.flash_success(
                    tk._("The account is validated: the invitation leaves for {email}.").format(email=account["email"])
                )
            return _back(account)
    members = act("dinamis_membership_list", limit=1000)["results"]
    values = {"errors": errors, "data": form or {"organization_id": organization}, "members": members}
    return tk.render("dinamis/accounts/new.html", values)


def _back(account: dict[str, Any]) -> Any:
    if tk.h.dinamis_can("account.moderate"):
        return tk.redirect_to("dinamis_accounts.read", id=account["id"])
    return tk.redirect_to("dinamis_membership.tab", id=account["organization_name"])


@dinamis_accounts.get("/dinamis/moderation/accounts/<id>", endpoint="read")
@page
def read(id: str) -> Any:
    """One account: the person, where it stands, what can be done, what happened."""
    account = act("dinamis_account_show", id=id)
    history = act("dinamis_journal_list", object_id=id, limit=200)["results"]
    return tk.render("dinamis/accounts/read.html", {"account": account, "history": history})


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Decide on one account."""
    form = tk.request.form
    name = form.get("transition", "")
    try:
        account = act("dinamis_account_transition", id=id, transition=name, reason=form.get("reason", ""))
    except tk.ValidationError as error:
        flash(error)
    else:
        tk.h.flash_success(_done(name, account["email"]))
    if form.get("from") == "queue":
        return tk.redirect_to("dinamis_accounts.queue", state=form.get("state") or None)
    return tk.redirect_to("dinamis_accounts.read", id=id)


def _done(name: str, email: str) -> str:
    return {
        "validate": tk._("Validated: the invitation leaves for {email}."),
        "refuse": tk._("Refused: {email} is told, with your reason."),
        "activate": tk._("Active: {email} is told."),
        "suspend": tk._("Suspended: access is closed, {email} is told."),
        "resume": tk._("Resumed: DINAMIS is told, then {email}."),
        "close": tk._("Closed: access is closed for good, {email} is told."),
    }.get(name, tk._("Done.")).format(email=email)


@dinamis_accounts.get("/dinamis/me", endpoint="me")
@page
def me() -> Any:
    """A person's own page: the state of my account in a sentence, my organisation, whom to ask."""
    if tk.current_user.is_anonymous:
        raise tk.NotAuthorized
    return tk.render("dinamis/accounts/me.html", {"accounts": act("dinamis_account_mine")["results"]})
