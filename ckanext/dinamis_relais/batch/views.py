"""The page of a piece of work in quantity: what it will do, how far it is, the result of each row."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.batch.work import handler
from ckanext.dinamis_relais.web import PAGE_SIZE, act, flash, offset, page

__all__ = ["dinamis_batch"]

dinamis_batch = Blueprint("dinamis_batch", __name__, url_prefix="/dinamis/moderation/batches")


@dinamis_batch.get("/<id>", endpoint="show")
@page
def show(id: str) -> Any:
    """Progress and results; asked by htmx, only the part that changes."""
    state = tk.request.args.get("state", "")
    work = act("dinamis_batch_show", id=id, state=state, limit=PAGE_SIZE, offset=offset())
    values = {"work": work, "handler": handler(work["kind"]), "state": state, "page_size": PAGE_SIZE}
    part = "HX-Request" in tk.request.headers
    return tk.render("dinamis/batch/snippets/progress.html" if part else "dinamis/batch/show.html", values)


def _one(id: str, action: str) -> Any:
    try:
        act(action, id=id)
    except tk.ValidationError as error:
        flash(error)
    return tk.redirect_to("dinamis_batch.show", id=id)


@dinamis_batch.post("/<id>/start", endpoint="start")
@page
def start(id: str) -> Any:
    """Begin what was prepared."""
    return _one(id, "dinamis_batch_start")


@dinamis_batch.post("/<id>/cancel", endpoint="cancel")
@page
def cancel(id: str) -> Any:
    """Drop what was prepared, or stop what is going on."""
    return _one(id, "dinamis_batch_cancel")
