"""The pages of grouped mails to DINAMIS: what leaves, what left, and recording what DINAMIS answered."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais.membership.proofs import EXTENSIONS
from ckanext.dinamis_relais.web import PAGE_SIZE, act, file_response, flash, offset, page

__all__ = ["dinamis_sendings"]

dinamis_sendings = Blueprint("dinamis_sendings", __name__, url_prefix="/dinamis/moderation/deliveries/grouped")

#: Rows of a grouped mail on one page: what is ticked is sent with the page that shows it.
ROWS = 100


@dinamis_sendings.get("/", endpoint="list")
@page
def list_() -> Any:
    """What is due of each kind, and the grouped mails that left."""
    state = tk.request.args.get("state", "")
    found = act("dinamis_sending_list", state=state, limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/gateway/sendings.html", {"found": found, "state": state, "page_size": PAGE_SIZE})


@dinamis_sendings.post("/", endpoint="create")
@page
def create() -> Any:
    """Let what is due of one kind leave now."""
    try:
        made = act("dinamis_sending_create", kind=tk.request.form.get("kind", ""))
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_sendings.list")
    if made["results"][0]["recipient"]:
        tk.h.flash_success(tk._("It leaves by mail within seconds. Record below what DINAMIS answers."))
    else:
        tk.h.flash_notice(tk._("No mail leaves: download the ZIP and hand it over, then record what DINAMIS answers."))
    return tk.redirect_to("dinamis_sendings.show", id=made["results"][0]["id"])


def _shown(id: str, form: Any = None) -> Any:
    state = tk.request.args.get("state", "")
    found = act("dinamis_sending_show", id=id, state=state, limit=ROWS, offset=offset(ROWS))
    values = {"found": found, "state": state, "page_size": ROWS, "form": form or {}}
    return tk.render("dinamis/gateway/sending.html", values)


@dinamis_sendings.get("/<id>", endpoint="show")
@page
def show(id: str) -> Any:
    """One grouped mail: what was in it, what DINAMIS said of each."""
    return _shown(id)


@dinamis_sendings.post("/<id>", endpoint="answer")
@page
def answer(id: str) -> Any:
    """Record what DINAMIS answered; what was typed stays on the page when it cannot be."""
    form = tk.request.form
    data = {name: form.get(name, "") for name in ("outcome", "words", "reference", "all")}
    try:
        work = act("dinamis_sending_answer", id=id, ids=form.getlist("ids"), file=tk.request.files.get("file"),
                   **{name: value for name, value in data.items() if value})  # fmt: skip
    except tk.ValidationError as error:
        flash(error)
        return _shown(id, {**data, "ids": form.getlist("ids")})
    if work["counts"] == {"done": work["total"]}:
        text = tk.ungettext("Recorded for %(num)d row.", "Recorded for %(num)d rows.", work["total"])
        tk.h.flash_success(text % {"num": work["total"]})
        return tk.redirect_to("dinamis_sendings.show", id=id)
    return tk.redirect_to("dinamis_batch.show", id=work["id"])


@dinamis_sendings.post("/<id>/file", endpoint="file")
@page
def file(id: str) -> Response:
    """The ZIP as it left. By POST: that somebody opened it is written into the journal."""
    found = act("dinamis_sending_file", id=id)
    return file_response(found["content"], "application/zip", found["name"], inline=False)


@dinamis_sendings.post("/proofs/<id>", endpoint="proof")
@page
def proof(id: str) -> Response:
    """The file that was kept with an answer. By POST, as the ZIP."""
    found = act("dinamis_sending_proof", id=id)
    name = f"reponse-dinamis.{EXTENSIONS[found['media_type']]}"
    return file_response(found["content"], found["media_type"], name, inline=False)
