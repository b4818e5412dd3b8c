"""A person's own page: the state of my account in a sentence, whom to ask, the charter, my data."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, jsonify

from ckanext.dinamis_relais.accounts import charter
from ckanext.dinamis_relais.web import act, file_response, page, tried

__all__ = ["dinamis_me"]

dinamis_me = Blueprint("dinamis_me", __name__, url_prefix="/dinamis/me")


@dinamis_me.get("", endpoint="me", strict_slashes=False)
@page
def me() -> Any:
    """My accounts, my organisation, whom to ask, my data."""
    if tk.current_user.is_anonymous:
        raise tk.NotAuthorized
    accounts = act("dinamis_account_mine")["results"]
    text = charter.text()
    open_ = [one for one in accounts if one["state"] in ("validated", "active")]
    waits = any(one["charter_version"] != text["version"] for one in open_)
    return tk.render("dinamis/accounts/me.html", {"accounts": accounts, "charter": text if waits else None})


@dinamis_me.post("/charter", endpoint="charter")
@page
def accept() -> Any:
    """Accept the charter of use in force."""
    if not tk.request.form.get("charter"):
        tk.h.flash_error(tk._("Tick the box: the account opens once the charter of use is accepted."))
        return tk.redirect_to("dinamis_me.me")
    sentence = tk._("Thank you: the charter of use is accepted, your account is open.")
    tried("dinamis_charter_accept", sentence, version=tk.request.form.get("version", ""))
    return tk.redirect_to("dinamis_me.me")


@dinamis_me.post("/data.json", endpoint="data")
@page
def data() -> Response:
    """All that is held on me, as a file; journalled, hence no GET."""
    if tk.current_user.is_anonymous:
        raise tk.NotAuthorized
    content = jsonify(act("dinamis_personal_data_export")).get_data()
    return file_response(content, "application/json", "mes-donnees-dinamis.json", inline=False)


@dinamis_me.post("/erasure", endpoint="erasure")
@page
def erasure() -> Any:
    """Ask PIGMA to erase what it holds on me."""
    tried("dinamis_erasure_request", tk._("Your request is sent to PIGMA, which answers within a month."))
    return tk.redirect_to("dinamis_me.me")
