"""Pages of files and members: PIGMA's queue, one file, the partner's tab."""

from __future__ import annotations

import contextlib
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.membership import forms
from ckanext.dinamis_relais.membership.board_views import dinamis_board
from ckanext.dinamis_relais.membership.deciding_views import dinamis_deciding
from ckanext.dinamis_relais.membership.documents_views import dinamis_documents
from ckanext.dinamis_relais.membership.machines import OPEN_STATES
from ckanext.dinamis_relais.membership.partner_views import dinamis_partners
from ckanext.dinamis_relais.membership.public_views import dinamis_members
from ckanext.dinamis_relais.membership.rules import CATEGORIES, LONGEST_NOTE, TERRITORY_KINDS
from ckanext.dinamis_relais.membership.signing_views import dinamis_signing
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, flash, offset, page, tried

__all__ = [
    "dinamis_board",
    "dinamis_deciding",
    "dinamis_documents",
    "dinamis_members",
    "dinamis_membership",
    "dinamis_partners",
    "dinamis_signing",
]

dinamis_membership = Blueprint("dinamis_membership", __name__)


@dinamis_membership.get("/dinamis/moderation/applications", endpoint="queue")
@page
def queue() -> Any:
    """All files, the oldest in its state first."""
    allowed("dinamis_application_claim")
    state, q = tk.request.args.get("state", ""), tk.request.args.get("q", "")
    found = act("dinamis_application_list", state=state, q=q, limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/membership/queue.html", {"found": found, "state": state, "q": q, "page_size": PAGE_SIZE})


@dinamis_membership.route("/dinamis/moderation/applications/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Open a file: find the entity, check what was filled in, save."""
    allowed("dinamis_application_claim")
    if tk.request.method == "POST":
        data = forms.from_request(tk.request.form)
        try:
            file = act("dinamis_application_create", **data)
        except tk.ValidationError as error:
            return _form(data, error.error_dict)
        tk.h.flash_success(tk._("The file is open. It is a draft: nothing was sent yet."))
        return tk.redirect_to("dinamis_membership.file", id=file["id"])
    query = tk.request.args.get("q", "").strip()
    lookup = None
    if query:
        try:
            lookup = act("dinamis_entity_lookup", q=query)
        except tk.ValidationError as error:
            flash(error)
    return _form(forms.prefilled(tk.request.args), {}, lookup=lookup, q=query)


def _form(data: dict[str, Any], errors: dict[str, Any], **more: Any) -> str:
    values = {
        "data": data,
        "errors": errors,
        "categories": CATEGORIES,
        "territory_kinds": TERRITORY_KINDS,
        "organizations": [] if data.get("id") else forms.organizations(),
        **more,
    }
    return tk.render("dinamis/membership/form.html", values)


@dinamis_membership.route("/dinamis/applications/<id>/edit", methods=["GET", "POST"], endpoint="edit")
@page
def edit(id: str) -> Any:
    """Change a draft, or a file that someone asked to correct."""
    allowed("dinamis_application_update", id=id)
    file = act("dinamis_application_show", id=id)
    if tk.request.method == "GET":
        return _form(file, {}, file=file)
    data = forms.from_request(tk.request.form)
    data.pop("organization_id", None)
    data.pop("organization_title", None)
    try:
        act("dinamis_application_update", id=id, **data)
    except tk.ValidationError as error:
        return _form({**file, **data}, error.error_dict, file=file)
    tk.h.flash_success(tk._("The changes are saved."))
    return _back(file)


@dinamis_membership.get("/dinamis/moderation/applications/<id>", endpoint="file")
@page
def file_page(id: str) -> Any:
    """One file on one page: where it stands, what is missing, who must act, its papers, thread and history."""
    return _file(id)


def _file(id_: str, note: str = "", errors: dict[str, Any] | None = None) -> str:
    """The file's page.

    :param note: what somebody typed and could not be kept, with its ``errors``
    """
    allowed("dinamis_application_claim", id=id_)
    file = act("dinamis_application_show", id=id_)
    dossier = act("dinamis_dossier_show", id=id_) if file["submitted_at"] else None
    values = {"file": file, "dossier": dossier, "note": note, "errors": errors or {}, "longest_note": LONGEST_NOTE}
    return tk.render("dinamis/membership/file.html", {**values, **_papers(file)})


def _papers(file: dict[str, Any]) -> dict[str, Any]:
    return {
        "documents": act("dinamis_document_list", application_id=file["id"])["results"],
        "history": act("dinamis_application_history", id=file["id"])["results"],
        "thread": act("dinamis_application_thread", id=file["id"])["results"],
    }


@dinamis_membership.post("/dinamis/moderation/applications/<id>/claim", endpoint="claim")
@page
def claim(id: str) -> Any:
    """Say who works on a file and by when; the button that says neither takes it."""
    given = {name: tk.request.form[name] for name in ("user", "due_on") if name in tk.request.form}
    sentence = tk._("It is kept: the others see who works on this file, and by when.")
    tried("dinamis_application_claim", sentence, id=id, **given)
    return tk.redirect_to("dinamis_membership.file", id=id)


def _thread(id_: str) -> Any:
    return tk.redirect_to(tk.url_for("dinamis_membership.file", id=id_) + "#thread")


@dinamis_membership.post("/dinamis/moderation/applications/<id>/notes", endpoint="note")
@page
def note(id: str) -> Any:
    """Note something on a file for PIGMA's other people."""
    text = tk.request.form.get("text", "")
    try:
        act("dinamis_note_create", id=id, text=text)
    except tk.ValidationError as error:
        return _file(id, text, error.error_dict)
    tk.h.flash_success(tk._("The note is kept. Only PIGMA's people read it."))
    return _thread(id)


@dinamis_membership.post("/dinamis/moderation/applications/<id>/notes/<note_id>/delete", endpoint="note_delete")
@page
def note_delete(id: str, note_id: str) -> Any:
    """Delete one's note."""
    act("dinamis_note_delete", id=note_id)
    tk.h.flash_success(tk._("The note is deleted."))
    return _thread(id)


@dinamis_membership.post("/dinamis/moderation/applications/<id>/mails/<mail_id>/again", endpoint="mail_again")
@page
def mail_again(id: str, mail_id: str) -> Any:
    """Try a message of the thread again now."""
    sentence = tk._("It leaves again at the worker's next round, within seconds.")
    tried("dinamis_delivery_retry", sentence, target="mail", id=mail_id)
    return _thread(id)


def _back(file: dict[str, Any]) -> Any:
    """The page from which this person works on the file."""
    if tk.h.dinamis_can("application.review"):
        return tk.redirect_to("dinamis_membership.file", id=file["id"])
    return tk.redirect_to("dinamis_membership.tab", id=file["organization_name"])


@dinamis_membership.post("/dinamis/applications/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Take a file one step further."""
    file = act("dinamis_application_show", id=id)
    fields = {name: tk.request.form.get(name, "") for name in ("transition", "reason", "note")}
    try:
        file = act("dinamis_application_transition", id=id, **fields)
    except tk.ValidationError as error:
        flash(error)
    else:
        tk.h.flash_success(tk.h.dinamis_transition_done(fields["transition"]))
    return _back(file)


@dinamis_membership.post("/dinamis/moderation/applications/<id>/paper", endpoint="paper")
@page
def paper(id: str) -> Any:
    """Record the paper that was signed by hand."""
    sentence = tk._("The signed paper is kept; the file is signed.")
    data = {"signed_on": tk.request.form.get("signed_on", ""), "file": tk.request.files.get("file")}
    tried("dinamis_signature_upload", sentence, id=id, **data)
    return tk.redirect_to("dinamis_membership.file", id=id)


@dinamis_membership.post("/dinamis/moderation/applications/<id>/decision", endpoint="decision")
@page
def decision(id: str) -> Any:
    """Record the board's written answer."""
    form = tk.request.form
    data = {name: form.get(name, "") for name in ("transition", "reason", "reference", "given_on")}
    sentence = tk._("The board's decision is recorded, with its answer as proof.")
    tried("dinamis_decision_record", sentence, id=id, file=tk.request.files.get("file"), **data)
    return tk.redirect_to("dinamis_membership.file", id=id)


@dinamis_membership.post("/dinamis/moderation/applications/<id>/dossier", endpoint="dossier_send")
@page
def dossier_send(id: str) -> Any:
    """Send the dossier to the executive board again."""
    tried("dinamis_dossier_send", tk._("The dossier leaves again, with a new link; the earlier one ends."), id=id)
    return tk.redirect_to("dinamis_membership.file", id=id)


@dinamis_membership.post("/dinamis/moderation/applications/<id>/dossier/revoke", endpoint="dossier_revoke")
@page
def dossier_revoke(id: str) -> Any:
    """End the link of the executive board."""
    tried("dinamis_dossier_revoke", tk._("The link is revoked: nobody decides by it any more."), id=id)
    return tk.redirect_to("dinamis_membership.file", id=id)


@dinamis_membership.get("/dinamis/moderation/memberships", endpoint="memberships")
@page
def memberships() -> Any:
    """Members and former members, for PIGMA."""
    allowed("dinamis_membership_transition")
    state, q = tk.request.args.get("state", ""), tk.request.args.get("q", "")
    found = act("dinamis_membership_list", state=state, q=q, limit=PAGE_SIZE, offset=offset())
    values = {"found": found, "state": state, "q": q, "page_size": PAGE_SIZE}
    return tk.render("dinamis/membership/memberships.html", values)


@dinamis_membership.post("/dinamis/moderation/memberships/<id>/transition", endpoint="membership_transition")
@page
def membership_transition(id: str) -> Any:
    """Suspend, resume or end a membership."""
    form = tk.request.form
    sentence = tk._("Done: the members concerned are told by mail.")
    data = {"id": id, "transition": form.get("transition", ""), "reason": form.get("reason", "")}
    tried("dinamis_membership_transition", sentence, **data)
    return tk.redirect_to("dinamis_membership.memberships")


@dinamis_membership.post("/organization/<id>/dinamis/files", endpoint="open")
@page
def open_(id: str) -> Any:
    """Open a renewal, a new acceptance or a change of details: with what stands, to be looked through."""
    try:
        file = act("dinamis_application_create", organization_id=id, kind=tk.request.form.get("kind", ""))
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_membership.tab", id=id)
    tk.h.flash_success(
        tk._("The file is open, with the details that stand. Look them through, then ask for the signature.")
    )
    return tk.redirect_to("dinamis_membership.edit", id=file["id"])


@dinamis_membership.get("/organization/<id>/dinamis", endpoint="tab")
@page
def tab(id: str) -> Any:
    """A partner's tab: for visitors whether it is a member; for its own people, all of its file."""
    organization = act("organization_show", id=id, include_datasets=False)
    values: dict[str, Any] = {
        "group_dict": organization,
        "group_type": "organization",
        "membership": None,
        "file": None,
    }
    with contextlib.suppress(tk.ObjectNotFound):
        values["membership"] = act("dinamis_membership_show", organization_id=organization["id"])
    if tk.h.dinamis_can("application.prepare", organization["id"]):
        found = act("dinamis_application_list", organization_id=organization["id"], limit=100)["results"]
        if found:
            chosen = next((f for f in found if f["id"] == tk.request.args.get("file")), None)
            running = [f for f in found if f["state"] in OPEN_STATES]
            values["files"] = sorted(found, key=lambda f: f["created_at"])
            values["file"] = chosen or (running or found)[-1]
            values.update(_papers(values["file"]))
    values["accounts"] = None
    if tk.h.dinamis_can("account.read", organization["id"]):
        values["accounts"] = act("dinamis_account_list", organization_id=organization["id"], limit=200)["results"]
    return tk.render("dinamis/membership/tab.html", values)
