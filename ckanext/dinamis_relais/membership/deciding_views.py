"""The executive board's page by one-time link: no login; reading it changes nothing, only its forms do."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.membership import board_links
from ckanext.dinamis_relais.membership.proofs import EXTENSIONS
from ckanext.dinamis_relais.web import act, file_response, page, private, tried, within_limit

__all__ = ["dinamis_deciding"]

dinamis_deciding = Blueprint("dinamis_deciding", __name__, url_prefix="/dinamis/decide")


dinamis_deciding.after_request(private)


@dinamis_deciding.get("/<token>", endpoint="show")
@page
def show(token: str) -> Any:
    """The dossier and the decision; or what has become of the link, and what to do."""
    found = act("dinamis_board_link_show", token=token)
    return tk.render("dinamis/membership/decide.html", {"token": token, "link": found, "file": found["file"]})


@dinamis_deciding.post("/<token>", endpoint="decide")
@page
def decide(token: str) -> Any:
    """Accept, ask for details or for a correction, or refuse."""
    form = tk.request.form
    if within_limit("board-link-client"):
        fields = {name: form.get(name, "") for name in ("transition", "reason", "reference")}
        sentence = tk._("Your decision is recorded. The organisation and PIGMA are told by mail.")
        tried("dinamis_board_link_decide", sentence, token=token, **fields)
    return tk.redirect_to("dinamis_deciding.show", token=token)


@dinamis_deciding.post("/<token>/again", endpoint="again")
@page
def again(token: str) -> Any:
    """Send a new link to the board's address in place of one that has expired."""
    if within_limit("board-link-client"):
        sentence = tk._("A new link was sent to the board's address. It arrives within a few minutes.")
        tried("dinamis_board_link_resend", sentence, token=token)
    return tk.redirect_to("dinamis_deciding.show", token=token)


@dinamis_deciding.get("/<token>/dossier.zip", endpoint="archive")
@page
def archive(token: str) -> Any:
    """The dossier as a ZIP."""
    found = board_links.archive(token)
    if found is None:
        raise tk.ObjectNotFound(tk._("This link does not open the dossier any more."))
    return file_response(found[1], "application/zip", found[0], inline=False)


@dinamis_deciding.get("/<token>/documents/<document_id>", endpoint="paper")
@page
def paper(token: str, document_id: str) -> Any:
    """A paper of the dossier."""
    found = board_links.document(token, document_id)
    if found is None:
        raise tk.ObjectNotFound(tk._("This document does not exist."))
    return file_response(found.content, found.media_type, f"{found.kind}.{EXTENSIONS[found.media_type]}")
