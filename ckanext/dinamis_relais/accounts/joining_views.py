"""Pages without login: ask for an account, confirm the address, open an account by its invitation."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from flask import Blueprint

from ckanext.dinamis_relais import config, throttle
from ckanext.dinamis_relais.accounts import sessions
from ckanext.dinamis_relais.web import act, flash, page, private, tried

__all__ = ["dinamis_joining"]

dinamis_joining = Blueprint("dinamis_joining", __name__)

FIELDS = ("email", "given_name", "family_name", "function", "purpose", "ends_on")


dinamis_joining.after_request(private)


@dinamis_joining.before_app_request
def end_sessions() -> Any:
    """Log out whose sessions were ended (a suspension); CKAN has no list of them to delete."""
    if tk.request.path.startswith(("/webassets/", "/base/")) or not sessions.is_over():
        return None
    tk.logout_user()
    tk.h.flash_notice(tk._("You were logged out: the rights of your account have changed. Log in to see its state."))
    return tk.redirect_to("user.login")


@dinamis_joining.before_app_request
def registration() -> Any:
    """CKAN's self-registration leads to the request page, unless the operator keeps it."""
    if tk.request.endpoint == "user.register" and not config.keep_registration():
        if tk.current_user.is_authenticated and tk.h.check_access("user_create"):
            return None
        return tk.redirect_to("dinamis_joining.request")
    return None


@dinamis_joining.route("/dinamis/accounts/request", methods=["GET", "POST"], endpoint="request")
@page
def request() -> Any:
    """Ask for an account of one's organisation."""
    from ckanext.dinamis_relais.accounts.views import organization_of

    form, errors = tk.request.form, {}
    organization = tk.request.args.get("organization_id", "")
    if tk.request.method == "POST":
        organization, wrong = organization_of(form)
        data = {name: form.get(name, "").strip() for name in FIELDS}
        try:
            sent = act("dinamis_account_request", organization_id=organization, **data)
        except tk.ValidationError as error:
            errors = {**error.error_dict, **({"organization_id": wrong} if wrong else {})}
            if "throttle" in errors:
                flash(error)
        else:
            values = {"email": sent["email"], "hours": config.request_link_hours()}
            return tk.render("dinamis/accounts/request_sent.html", values)
    members = act("dinamis_membership_autocomplete")["results"]
    chosen = next((m for m in members if organization and organization in (m["id"], m["name"])), None)
    values = {"errors": errors, "data": form, "members": members, "chosen": chosen}
    return tk.render("dinamis/accounts/request.html", values)


@dinamis_joining.route("/dinamis/accounts/request/<token>", methods=["GET", "POST"], endpoint="confirm")
@page
def confirm(token: str) -> Any:
    """Confirm one's request: the page shows it, a button sends it to PIGMA."""
    if tk.request.method == "POST":
        try:
            act("dinamis_account_request_confirm", token=token)
        except tk.ValidationError as error:
            flash(error)
        return tk.redirect_to("dinamis_joining.confirm", token=token)
    asked = act("dinamis_account_request_show", token=token)
    return tk.render("dinamis/accounts/request_confirm.html", {"asked": asked, "token": token})


@dinamis_joining.route("/dinamis/join/<token>", methods=["GET", "POST"], endpoint="join")
@page
def join(token: str) -> Any:
    """Open an account: the charter of use, and a password for who has no login yet."""
    errors: dict[str, Any] = {}
    if tk.request.method == "POST":
        if not throttle.allowed("join", throttle.client(), config.requests_per_client() * 3):
            errors = {"token": [tk._("Too many tries from here. Try again in an hour.")]}
        else:
            form = tk.request.form
            data = {"charter": bool(form.get("charter")), "password": form.get("password", "")}
            try:
                done = act("dinamis_account_invitation_accept", token=token, **data)
            except tk.ValidationError as error:
                errors = error.error_dict
            else:
                return _welcome(done)
    invitation = act("dinamis_account_invitation_show", token=token)
    values = {"invitation": invitation, "token": token, "errors": errors}
    return tk.render("dinamis/accounts/join.html", values)


def _welcome(done: dict[str, Any]) -> Any:
    if done["created"]:
        tk.login_user(model.User.get(done["login"]))
    tk.h.flash_success(tk._("Welcome: your account is open. Your login is {login}.").format(login=done["login"]))
    return tk.redirect_to("dinamis_me.me")


@dinamis_joining.post("/dinamis/join/<token>/again", endpoint="again")
@page
def again(token: str) -> Any:
    """Send a new invitation to the address that the expired one was sent to."""
    sentence = tk._("A new link was sent to the same address. It arrives within a few minutes.")
    tried("dinamis_account_invitation_resend", sentence, token=token)
    return tk.redirect_to("dinamis_joining.join", token=token)
