"""The moderator's pages: the queue, entry, one account. What they show and do are actions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, jsonify

from ckanext.dinamis_relais.accounts.bulk_views import dinamis_accounts_bulk
from ckanext.dinamis_relais.accounts.joining_views import dinamis_joining
from ckanext.dinamis_relais.accounts.me_views import dinamis_me
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, file_response, flash, offset, page, problems, tried

__all__ = ["dinamis_accounts", "dinamis_accounts_bulk", "dinamis_joining", "dinamis_me"]

dinamis_accounts = Blueprint("dinamis_accounts", __name__)

FIELDS = ("email", "given_name", "family_name", "function", "purpose", "role", "ends_on")
#: Parameters of the queue that a decision brings back.
FILTERS = ("state", "q", "organization_id", "dormant", "page")


def asked() -> dict[str, str]:
    """The queue's filters in the page's address."""
    return {name: tk.request.args[name] for name in FILTERS if tk.request.args.get(name)}


@dinamis_accounts.get("/dinamis/moderation/accounts", endpoint="queue")
@page
def queue() -> Any:
    """Accounts to decide on, the oldest first."""
    allowed("dinamis_account_transition")
    filters = asked()
    filters.pop("page", None)
    found = act("dinamis_account_list", **filters, limit=PAGE_SIZE, offset=offset())
    values = {"found": found, "filters": filters, "state": filters.get("state", ""), "q": filters.get("q", ""),
              "page_size": PAGE_SIZE}  # fmt: skip
    return tk.render("dinamis/accounts/queue.html", values)


def organization_of(form: Any) -> tuple[str, list[str]]:
    """The member organisation that a form names: its id by a link, or its name as typed.

    :returns: its id or name, and what is wrong with it
    """
    typed = (form.get("organization") or "").strip()
    if not typed:
        return form.get("organization_id", ""), []
    found = act("dinamis_membership_autocomplete", q=typed, limit=6)["results"]
    same = [one for one in found if one["title"].casefold() == typed.casefold()] or found
    if len(same) == 1:
        return same[0]["id"], []
    if not same:
        return "", [tk._("No member is called '{name}'. Choose one of the list.").format(name=typed)]
    names = ", ".join(one["title"] for one in same[:5])
    return "", [tk._("Several members fit: {names}. Type more of the name.").format(names=names)]


@dinamis_accounts.route("/dinamis/accounts/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Enter a person: PIGMA for any member, a referent for their own organisation."""
    form, errors = tk.request.form, {}
    organization, wrong = organization_of(form) if form else (tk.request.args.get("organization_id", ""), [])
    allowed("dinamis_account_create", organization_id=organization)
    if tk.request.method == "POST":
        data = {name: form.get(name, "").strip() for name in FIELDS}
        try:
            account = act("dinamis_account_create", organization_id=organization, **data)
        except tk.ValidationError as error:
            errors = {**error.error_dict, **({"organization_id": wrong} if wrong else {})}
        else:
            if account["state"] == "requested":
                tk.h.flash_success(tk._("The request is sent to PIGMA, which validates it."))
            else:
                tk.h.flash_success(
                    tk._("The account is validated: the invitation leaves for {email}.").format(email=account["email"])
                )
            return _back(account)
    members = act("dinamis_membership_autocomplete")["results"]
    chosen = next((m for m in members if organization in (m["id"], m["name"])), None)
    values = {"errors": errors, "data": form, "members": members, "chosen": chosen}
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
    others, successors = _others(account), []
    if account["role"] == "referent" and account["state"] in ("validated", "active", "suspended"):
        same = act("dinamis_account_list", organization_id=account["organization_id"], state="validated,active",
                   limit=200)["results"]  # fmt: skip
        successors = [one for one in same if one["id"] != id]
    values = {"account": account, "history": history, "others": others, "successors": successors}
    return tk.render("dinamis/accounts/read.html", values)


def _others(account: dict[str, Any]) -> list[dict[str, Any]]:
    """Other accounts of the same address, elsewhere or earlier."""
    if not account["email"]:
        return []
    found = act("dinamis_account_list", q=account["email"], limit=20)["results"]
    return [one for one in found if one["email"] == account["email"] and one["id"] != account["id"]]


@dinamis_accounts.route("/dinamis/moderation/accounts/<id>/edit", methods=["GET", "POST"], endpoint="edit")
@page
def edit(id: str) -> Any:
    """Correct an account's details; a corrected address gets the invitation anew."""
    allowed("dinamis_account_update", id=id)
    account = act("dinamis_account_show", id=id)
    form, errors = tk.request.form, {}
    if tk.request.method == "POST":
        try:
            done = act("dinamis_account_update", id=id, **{name: form.get(name, "").strip() for name in FIELDS})
        except tk.ValidationError as error:
            errors = error.error_dict
            if "id" in errors:
                flash(error)
        else:
            sent = done["email"] != account["email"] and done["state"] in ("validated", "active")
            tk.h.flash_success(
                tk._("Corrected: a new invitation leaves for {email}.").format(email=done["email"])
                if sent
                else tk._("The changes are saved.")
            )
            return tk.redirect_to("dinamis_accounts.read", id=id)
    return tk.render("dinamis/accounts/edit.html", {"account": account, "data": form or account, "errors": errors})


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Decide on one account: in the row (htmx), or back to the page that it came from."""
    form = tk.request.form
    name, found, sentences = form.get("transition", ""), [], []
    keys = ("reason", "role", "seen")
    try:
        account = act("dinamis_account_transition", id=id, transition=name, **{k: form[k] for k in keys if k in form})
    except tk.ValidationError as error:
        account, found = act("dinamis_account_show", id=id), problems(error)
        if "HX-Request" not in tk.request.headers:
            flash(error)
    else:
        sentences = [_done(name, account["email"])]
        if "HX-Request" not in tk.request.headers:
            tk.h.flash_success(sentences[0])
    if "HX-Request" in tk.request.headers:
        values = {"account": account, "problems": found, "done": sentences, "filters": {}}
        return tk.render("dinamis/accounts/snippets/row.html", values)
    if form.get("from") == "queue":
        return tk.redirect_to(
            "dinamis_accounts.queue", **{k: form[f"back_{k}"] for k in FILTERS if f"back_{k}" in form}
        )
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


def _one(account: str, action: str, sentence: str, **data: Any) -> Any:
    tried(action, sentence, **data)
    return tk.redirect_to("dinamis_accounts.read", id=account)


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/invite", endpoint="invite")
@page
def invite(id: str) -> Any:
    """Send the invitation again."""
    return _one(id, "dinamis_account_invite", tk._("A new invitation leaves; the earlier link ends."), id=id)


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/keep", endpoint="keep")
@page
def keep(id: str) -> Any:
    """Keep a dormant account."""
    return _one(id, "dinamis_account_keep", tk._("Kept: it is not proposed for closing for now."), id=id)


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/replace", endpoint="replace")
@page
def replace(id: str) -> Any:
    """Replace a referent who left."""
    form = tk.request.form
    data = {"id": id, "successor_id": form.get("successor_id", ""), "reason": form.get("reason", "")}
    return _one(id, "dinamis_account_replace", tk._("Handed over; the account is closed and the person told."), **data)


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/data.json", endpoint="data")
@page
def data(id: str) -> Response:
    """All that is held on the account's person, as a file; journalled, hence no GET."""
    content = jsonify(act("dinamis_personal_data_export", account_id=id)).get_data()
    return file_response(content, "application/json", f"donnees-{id}.json", inline=False)


@dinamis_accounts.post("/dinamis/moderation/accounts/<id>/erase", endpoint="erase")
@page
def erase(id: str) -> Any:
    """Erase the details of a person whose accounts are over."""
    if not tk.request.form.get("sure"):
        tk.h.flash_error(tk._("Tick the box first: an erasure cannot be undone."))
        return tk.redirect_to("dinamis_accounts.read", id=id)
    sentence = tk._("The person's details are erased; states and dates stay for the figures.")
    return _one(id, "dinamis_personal_data_erase", sentence, account_id=id)
