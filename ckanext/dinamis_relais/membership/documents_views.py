"""A paper's bytes for who may read them, and the public page that tells whether a file is ours."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.membership.model import Document
from ckanext.dinamis_relais.membership.proofs import EXTENSIONS
from ckanext.dinamis_relais.web import act, file_response, page

__all__ = ["dinamis_documents"]

dinamis_documents = Blueprint("dinamis_documents", __name__)


@dinamis_documents.get("/dinamis/documents/<document_id>", endpoint="read")
@page
def read(document_id: str) -> Any:
    """A paper's bytes, read right after its action allowed it."""
    shown = act("dinamis_document_show", id=document_id)
    content = session().get(Document, document_id).content
    return file_response(
        content,
        shown["media_type"],
        f"{shown['kind']}-{shown['created_at'][:10]}.{EXTENSIONS.get(shown['media_type'], 'bin')}",
    )


@dinamis_documents.route("/dinamis/verify", methods=["GET", "POST"], endpoint="verify")
@page
def verify() -> Any:
    """Whether a file that someone holds is one of ours, unchanged."""
    result, name = None, ""
    if tk.request.method == "POST":
        upload = tk.request.files.get("file")
        if upload is None or not upload.filename:
            tk.h.flash_error(tk._("Choose a file first."))
        else:
            name = upload.filename
            sha256 = hashlib.sha256(upload.stream.read()).hexdigest()
            result = act("dinamis_document_verify", sha256=sha256)
    return tk.render("dinamis/membership/verify.html", {"result": result, "name": name})
