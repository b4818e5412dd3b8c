"""The executive board's pages: what awaits a decision, and one dossier on one page."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.membership.board_links import dossier_zip
from ckanext.dinamis_relais.web import PAGE_SIZE, act, file_response, flash, offset, page

__all__ = ["dinamis_board"]

dinamis_board = Blueprint("dinamis_board", __name__, url_prefix="/dinamis/board")


def _board_only() -> None:
    if not tk.h.dinamis_can("board.open"):
        raise tk.NotAuthorized(tk._("These pages are for DINAMIS's executive board."))


@dinamis_board.get("", endpoint="queue")
@page
def queue() -> Any:
    """Files to decide, the oldest first; then those that were decided."""
    _board_only()
    state = tk.request.args.get("state", "submitted")
    found = act("dinamis_application_list", state=state, limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/membership/board.html", {"found": found, "state": state, "page_size": PAGE_SIZE})


@dinamis_board.get("/<id>", endpoint="dossier")
@page
def dossier(id: str) -> Any:
    """One dossier: entity, presumption and why, PIGMA's check, papers, history, decision."""
    _board_only()
    file = act("dinamis_application_show", id=id)
    documents = act("dinamis_document_list", application_id=id, verify=True)["results"]
    history = act("dinamis_application_history", id=id)["results"]
    values = {"file": file, "documents": documents, "history": history}
    return tk.render("dinamis/membership/dossier.html", values)


@dinamis_board.get("/<id>/dossier.zip", endpoint="archive")
@page
def archive(id: str) -> Any:
    """The dossier as a ZIP, for who may read its papers."""
    name, content = dossier_zip(id, {"user": tk.current_user.name})
    return file_response(content, "application/zip", name, inline=False)


@dinamis_board.post("/<id>/decision", endpoint="decide")
@page
def decide(id: str) -> Any:
    """Accept, ask for details or for a correction, or refuse."""
    _board_only()
    form = tk.request.form
    try:
        act("dinamis_application_transition", id=id, transition=form.get("transition", ""),
            reason=form.get("reason", ""), reference=form.get("reference") or None)  # fmt: skip
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_board.dossier", id=id)
    tk.h.flash_success(tk._("Your decision is recorded. The organisation and PIGMA are told by mail."))
    return tk.redirect_to("dinamis_board.queue")
