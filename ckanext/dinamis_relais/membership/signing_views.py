"""The legal representative's pages: a one-time link, no login, one column, phone first."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.membership import papers
from ckanext.dinamis_relais.membership.rules import ACCEPTANCES
from ckanext.dinamis_relais.membership.signatures import signed_paper
from ckanext.dinamis_relais.web import act, file_response, flash, page, private, tried

__all__ = ["dinamis_signing"]

dinamis_signing = Blueprint("dinamis_signing", __name__, url_prefix="/dinamis/sign")


dinamis_signing.after_request(private)


@dinamis_signing.get("/<token>", endpoint="show")
@page
def show(token: str) -> Any:
    """Read, tick, sign; or what was signed and when."""
    signature = act("dinamis_signature_show", token=token)
    return _render(token, signature, {})


def _render(token: str, signature: dict[str, Any], accepted: dict[str, bool]) -> str:
    values = {"token": token, "signature": signature, "acceptances": ACCEPTANCES, "accepted": accepted}
    return tk.render("dinamis/membership/sign.html", values)


@dinamis_signing.post("/<token>", endpoint="sign")
@page
def sign(token: str) -> Any:
    """Sign; boxes that were ticked stay ticked when one is missing."""
    accepted = {name: bool(tk.request.form.get(name)) for name in ACCEPTANCES}
    request = tk.request
    try:
        act(
            "dinamis_signature_create",
            token=token,
            accepted=accepted,
            ip=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", ""),
        )
    except tk.ValidationError as error:
        flash(error)
        return _render(token, act("dinamis_signature_show", token=token), accepted)
    return tk.redirect_to("dinamis_signing.show", token=token)


@dinamis_signing.post("/<token>/again", endpoint="again")
@page
def again(token: str) -> Any:
    """Send a new link to the address that the expired one was sent to."""
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
    return file_response(found.content, found.media_type, f"{kind}.pdf")
