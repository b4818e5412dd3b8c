"""Pages of the mails' texts: all of them, and one to write in."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.web import act, page, tried

__all__ = ["dinamis_wording"]

dinamis_wording = Blueprint("dinamis_wording", __name__, url_prefix="/dinamis/moderation/mails")


def _language() -> str:
    return "en" if tk.request.args.get("language") == "en" else "fr"


@dinamis_wording.get("", endpoint="list")
@page
def list_() -> Any:
    """All mails: when each leaves, to whom, under which subject."""
    return tk.render("dinamis/wording/list.html", {"found": act("dinamis_mail_list", language=_language())})


@dinamis_wording.route("/<name>", methods=["GET", "POST"], endpoint="edit")
@page
def edit(name: str) -> Any:
    """Read a mail's text, write another, look at it as it would leave, save it."""
    mail = act("dinamis_mail_show", id=name, language=_language())
    wanted = tk.request.args.get("number", "")
    old = next((v for v in mail["versions"] if str(v["number"]) == wanted and v["body"]), mail)
    values: dict[str, Any] = {"mail": mail, "data": old, "errors": {}, "preview": None}
    if tk.request.method == "POST":
        form = tk.request.form
        data = {key: form.get(key, "") for key in ("subject", "body", "seen")}
        given = {"id": name, "language": mail["language"], **data}
        try:
            if "preview" not in form:
                act("dinamis_mail_update", **given)
                tk.h.flash_success(tk._("Saved: the next mails leave with this text. The former one is kept."))
                return tk.redirect_to("dinamis_wording.edit", name=name, language=mail["language"])
            values["preview"] = act("dinamis_mail_preview", **given)
        except tk.ValidationError as error:
            values["errors"] = error.error_dict
        values["data"] = data
    if values["preview"] is None and not values["errors"]:
        shown = {key: values["data"][key] for key in ("subject", "body")}
        values["preview"] = act("dinamis_mail_preview", id=name, language=mail["language"], **shown)
    return tk.render("dinamis/wording/edit.html", values)


@dinamis_wording.post("/<name>/reset", endpoint="reset")
@page
def reset(name: str) -> Any:
    """Back to the shipped text."""
    sentence = tk._("The text supplied with the platform is in force again. Yours is kept.")
    tried("dinamis_mail_reset", sentence, id=name, language=_language())
    return tk.redirect_to("dinamis_wording.edit", name=name, language=_language())
