"""The legal representative's pages: a one-time link, no login, one column, phone first."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais import throttle
from ckanext.dinamis_relais.membership import papers
from ckanext.dinamis_relais.membership.proofs import EXTENSIONS
from ckanext.dinamis_relais.membership.rules import ACCEPTANCES, AGREEMENT
from ckanext.dinamis_relais.membership.signatures import signed_paper
from ckanext.dinamis_relais.web import act, file_response, flash, page, private, tried, within_limit

__all__ = ["dinamis_signing"]

dinamis_signing = Blueprint("dinamis_signing", __name__, url_prefix="/dinamis/sign")


dinamis_signing.after_request(private)


@dinamis_signing.get("/<token>", endpoint="show")
@page
def show(token: str) -> Any:
    """Read, tick, sign; or what was signed and when."""
    signature = act("dinamis_signature_show", token=token)
    return _render(token, signature, signature["accepted"])


def _render(token: str, signature: dict[str, Any], accepted: dict[str, bool], **more: Any) -> str:
    values = {"token": token, "signature": signature, "accepted": accepted, "person": {}, "errors": {}, **more}
    return tk.render("dinamis/membership/sign.html", values)


@dinamis_signing.post("/<token>/code", endpoint="code")
@page
def code(token: str) -> Any:
    """Accept and receive the code; boxes that were ticked stay ticked when one is missing."""
    accepted = {name: bool(tk.request.form.get(name)) for name in (AGREEMENT, *ACCEPTANCES)}
    try:
        if within_limit("signature"):
            again = bool(tk.request.form.get("again"))
            sent = act("dinamis_signature_code", token=token, accepted=None if again else accepted)
            sentence = tk._("Your code was sent to {email}. It arrives within a few minutes.")
            tk.h.flash_success(sentence.format(email=sent["email"]))
    except tk.ValidationError as error:
        flash(error)
        return _render(token, act("dinamis_signature_show", token=token), accepted)
    return tk.redirect_to("dinamis_signing.show", token=token)


@dinamis_signing.post("/<token>", endpoint="sign")
@page
def sign(token: str) -> Any:
    """Sign with the code."""
    request = tk.request
    try:
        if within_limit("signature"):
            act("dinamis_signature_create", token=token, code=request.form.get("code", ""), ip=throttle.client(),
                user_agent=request.headers.get("User-Agent", ""))  # fmt: skip
    except tk.ValidationError as error:
        flash(error)
    return tk.redirect_to("dinamis_signing.show", token=token)


@dinamis_signing.route("/<token>/delegate", methods=["GET", "POST"], endpoint="delegate")
@page
def delegate(token: str) -> Any:
    """The legal representative names who signs instead."""
    signature = act("dinamis_signature_show", token=token)
    if signature["status"] != "open" or signature["delegated"]:
        return tk.redirect_to("dinamis_signing.show", token=token)
    person, errors = tk.request.form.to_dict(), {}
    if tk.request.method == "POST" and within_limit("signature"):
        names = ("given_name", "family_name", "function", "email")
        try:
            sent = act("dinamis_signature_delegate", token=token, **{n: person.get(n, "").strip() for n in names})
        except tk.ValidationError as error:
            errors = error.error_dict
            if not set(errors) <= set(names):
                flash(error)
        else:
            sentence = tk._("A link to sign was sent to {email}. Yours no longer works.")
            tk.h.flash_success(sentence.format(email=sent["email"]))
            return tk.redirect_to("dinamis_signing.show", token=token)
    values = {"token": token, "signature": signature, "person": person, "errors": errors}
    return tk.render("dinamis/membership/delegate.html", values)


@dinamis_signing.post("/<token>/again", endpoint="again")
@page
def again(token: str) -> Any:
    """Send a new link to the address that the expired one was sent to."""
    if not within_limit("signature"):
        return tk.redirect_to("dinamis_signing.show", token=token)
    sentence = tk._("A new link was sent to the same address. It arrives within a few minutes.")
    tried("dinamis_signature_resend", sentence, token=token)
    return tk.redirect_to("dinamis_signing.show", token=token)


@dinamis_signing.get("/<token>/<kind>.pdf", endpoint="paper")
@page
def paper(token: str, kind: str) -> Any:
    """The avenant before and after signing, the charter and the licences."""
    if kind in ("charter", "licences"):
        act("dinamis_signature_show", token=token)
        return file_response(papers.text_pdf(kind), "application/pdf", f"{kind}.pdf")
    found = signed_paper(token, kind)
    if found is None:
        raise tk.ObjectNotFound(tk._("This document does not exist."))
    return file_response(found.content, found.media_type, f"{kind}.{EXTENSIONS[found.media_type]}")
