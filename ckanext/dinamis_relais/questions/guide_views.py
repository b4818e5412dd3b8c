"""A question and its answer become a guide or an entry of the FAQ, in one step, where the site has guides."""

from __future__ import annotations

import re
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.web import act, allowed, flash, page

__all__ = ["dinamis_questions_guide", "makes_guides"]

dinamis_questions_guide = Blueprint("dinamis_questions_guide", __name__)

ACTION = "dinamis_guide_create"
KINDS = ("faq", "guide")


def makes_guides() -> bool:
    """Whether this site has guides to make a question into."""
    try:
        tk.get_action(ACTION)
    except KeyError:
        return False
    return True


def _literal(text: str) -> str:
    """A plain text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)


def draft(question: dict[str, Any]) -> dict[str, str]:
    """What the form starts from: the first message, then the answers, with nobody's name.

    :param question: of ``dinamis_question_show``
    """
    asked = next((m["text"] for m in question["messages"] if m["side"] == "person"), "")
    answers = [_without(m["text"], question["asker"]) for m in question["messages"] if m["side"] != "person"]
    quoted = "\n".join(f"> {line}".rstrip() for line in _literal(_without(asked, question["asker"])).split("\n"))
    body = "\n\n".join([quoted, *(_literal(text) for text in answers)])
    theme = question["about"]["kind"] if question["about"] else ""
    return {"title": _without(question["title"], question["asker"]), "body": body, "theme": theme, "kind": "faq"}


def _without(text: str, name: str | None) -> str:
    """A text where a person's name, whole or in parts, is left out."""
    for part in sorted({name or "", *(name or "").split()}, key=len, reverse=True):
        if len(part) > 2:
            text = re.sub(rf"\b{re.escape(part)}\b", "…", text, flags=re.IGNORECASE)
    return text


@dinamis_questions_guide.route("/dinamis/questions/<id>/guide", methods=["GET", "POST"], endpoint="make")
@page
def make(id: str) -> Any:
    """A prefilled form, read through by PIGMA before it is anybody's."""
    allowed("dinamis_question_transition")
    if not makes_guides():
        raise tk.ObjectNotFound(tk._("This site has no guides."))
    question = act("dinamis_question_show", id=id)
    form, errors = tk.request.form, {}
    if tk.request.method == "POST":
        data = {name: form.get(name, "").strip() for name in ("title", "body", "theme", "kind")}
        try:
            made = act(ACTION, **data)
        except tk.ValidationError as error:
            errors = error.error_dict
            if not set(errors) & set(data):
                flash(error)
        else:
            tk.h.flash_success(tk._("It is made from the question. Read it once more as others see it."))
            return tk.h.redirect_to(made["url"])
    values = {"question": question, "data": form if form else draft(question), "errors": errors, "kinds": KINDS}
    return tk.render("dinamis/questions/guide.html", values)
