"""Pages of guides: read, and for PIGMA write, look at versions, publish."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.guides.rules import KINDS
from ckanext.dinamis_relais.web import act, allowed, page, tried

__all__ = ["dinamis_guides"]

dinamis_guides = Blueprint("dinamis_guides", __name__, url_prefix="/dinamis/guides")

_FIELDS = ("title", "summary", "body", "title_en", "summary_en", "theme", "kind", "state", "seen")
_ALL = 1000


@dinamis_guides.get("", endpoint="index", strict_slashes=False)
@page
def index() -> Any:
    """All guides by theme, and the answers to frequent questions."""
    query = tk.request.args.get("q", "").strip()
    found = act("dinamis_guide_list", q=query, limit=_ALL)["results"]
    kinds = {kind: [one for one in found if one["kind"] == kind] for kind in KINDS}
    return tk.render("dinamis/guides/index.html", {"kinds": kinds, "query": query, "found": found})


def _form(guide: dict[str, Any] | None) -> Any:
    """The editor; the button "preview" shows what the text becomes and changes nothing."""
    sent = {key: tk.request.form[key] for key in _FIELDS if key in tk.request.form}
    errors: dict[str, Any] = {}
    if tk.request.method == "POST" and "preview" not in tk.request.form:
        try:
            if guide:
                done = act("dinamis_guide_update", **{**sent, "id": guide["id"]})
            else:
                done = act("dinamis_guide_create", **sent)
        except tk.ValidationError as error:
            errors = error.error_dict
        else:
            tk.h.flash_success(tk._("Saved."))
            return tk.redirect_to("dinamis_guides.read", name=done["name"])
    given = {"kind": tk.request.args.get("kind", "guide"), "state": "draft", "theme": "basics"}
    data = sent or guide or given
    values = {"guide": guide, "data": data, "errors": errors, "preview": "preview" in tk.request.form, "kinds": KINDS}
    return tk.render("dinamis/guides/edit.html", values)


@dinamis_guides.route("/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Write a guide or an answer."""
    allowed("dinamis_guide_create")
    return _form(None)


@dinamis_guides.get("/<name>", endpoint="read")
@page
def read(name: str) -> Any:
    """One guide or answer."""
    guide = act("dinamis_guide_show", id=name)
    same = act("dinamis_guide_list", kind="guide", theme=guide["theme"], limit=_ALL)["results"]
    others = [one for one in same if one["name"] != name and one["state"] == "published"]
    return tk.render("dinamis/guides/read.html", {"guide": guide, "others": others})


@dinamis_guides.route("/<name>/edit", methods=["GET", "POST"], endpoint="edit")
@page
def edit(name: str) -> Any:
    """Change its text."""
    allowed("dinamis_guide_update")
    return _form(act("dinamis_guide_show", id=name))


@dinamis_guides.get("/<name>/versions", endpoint="versions")
@page
def versions(name: str) -> Any:
    """The texts that it has had; ``?number=`` shows one of them."""
    found = act("dinamis_guide_versions", id=name)["results"]
    shown = next((one for one in found if str(one["number"]) == tk.request.args.get("number")), None)
    values = {"guide": act("dinamis_guide_show", id=name), "versions": found, "shown": shown}
    return tk.render("dinamis/guides/versions.html", values)


@dinamis_guides.post("/<name>/restore", endpoint="restore")
@page
def restore(name: str) -> Any:
    """Put an older text back in force."""
    sentence = tk._("The version is in force again. The others are kept.")
    tried("dinamis_guide_restore", sentence, id=name, number=tk.request.form.get("number", ""))
    return tk.redirect_to("dinamis_guides.versions", name=name)


@dinamis_guides.post("/<name>/transition", endpoint="transition")
@page
def transition(name: str) -> Any:
    """Publish it, or take it back."""
    step = tk.request.form.get("transition", "")
    sentence = {
        "publish": tk._("It is published: anybody reads it now."),
        "unpublish": tk._("It is a draft again: only PIGMA reads it."),
    }.get(step, tk._("Done."))
    tried("dinamis_guide_transition", sentence, id=name, transition=step)
    return tk.redirect_to("dinamis_guides.read", name=name)
