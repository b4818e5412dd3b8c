"""Pages of questions: ask, follow a thread, and PIGMA's queue. What they show and do are actions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.questions import about
from ckanext.dinamis_relais.questions.guide_views import dinamis_questions_guide, makes_guides
from ckanext.dinamis_relais.questions.model import QuestionFile
from ckanext.dinamis_relais.questions.schema import MEGABYTE
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, file_response, offset, page, tried

__all__ = ["dinamis_questions", "dinamis_questions_guide"]

dinamis_questions = Blueprint("dinamis_questions", __name__)


def uploads() -> list[dict[str, Any]]:
    """The files of a form, each read no further than shows that it is too large."""
    largest = config.question_file_mb() * MEGABYTE + 1
    sent = [one for one in tk.request.files.getlist("files") if one.filename]
    return [{"name": one.filename or "", "content": one.stream.read(largest)} for one in sent]


def _login_first() -> Any:
    tk.h.flash_notice(tk._("Log in to ask a question: its answer comes to you by mail and on this site."))
    return tk.redirect_to("user.login", next=tk.request.full_path.rstrip("?"))


@dinamis_questions.get("/dinamis/questions", endpoint="mine")
@page
def mine() -> Any:
    """My questions, the last moved first."""
    if tk.current_user.is_anonymous:
        return _login_first()
    found = act("dinamis_question_list", mine=True, limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/questions/mine.html", {"found": found, "page_size": PAGE_SIZE})


@dinamis_questions.route("/dinamis/questions/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Ask, with the page that it is about beside."""
    if tk.current_user.is_anonymous:
        return _login_first()
    allowed("dinamis_question_create")
    form, errors = tk.request.form, {}
    given = form if tk.request.method == "POST" else tk.request.args
    address, title = given.get("about", ""), given.get("about_title", "")
    if tk.request.method == "POST":
        data = {name: form.get(name, "") for name in ("title", "text")}
        try:
            question = act("dinamis_question_create", **data, about=address, about_title=title, files=uploads())
        except tk.ValidationError as error:
            errors = error.error_dict
        else:
            sentence = tk._("Your question is sent. The answer comes to {email} and on this page.")
            tk.h.flash_success(sentence.format(email=tk.current_user.email or tk._("this site")))
            return tk.redirect_to("dinamis_questions.read", id=question["id"])
    thing = about.resolve(address, tk.current_user.name, title) if address else None
    values = {"data": form, "errors": errors, "about": thing, "about_link": about.link(thing.path) if thing else None,
              "chosen_files": any(one.filename for one in tk.request.files.getlist("files"))}  # fmt: skip
    return tk.render("dinamis/questions/new.html", values)


def _thread(id: str, errors: dict[str, Any], status: int = 200) -> Any:
    question = act("dinamis_question_show", id=id)
    values = {"question": question, "errors": errors, "data": tk.request.form,
              "guides": makes_guides() and tk.h.dinamis_can("question.answer"),
              "chosen_files": any(one.filename for one in tk.request.files.getlist("files"))}  # fmt: skip
    return tk.render("dinamis/questions/read.html", values), status


@dinamis_questions.get("/dinamis/questions/<id>", endpoint="read")
@page
def read(id: str) -> Any:
    """A thread, as a conversation."""
    return _thread(id, {})


@dinamis_questions.post("/dinamis/questions/<id>/reply", endpoint="reply")
@page
def reply(id: str) -> Any:
    """Write in a thread; what is refused stays in the box."""
    form = tk.request.form
    data = {key: form[key] for key in ("text", "seen") if key in form}
    try:
        done = act("dinamis_question_reply", id=id, files=uploads(), **data)
    except tk.ValidationError as error:
        return _thread(id, error.error_dict)
    tk.h.flash_success(
        tk._("Your message is sent to {relay}.").format(relay=config.relay_name())
        if done["mine"]
        else tk._("Your answer is sent: the person is told by mail.")
    )
    return tk.redirect_to("dinamis_questions.read", id=id)


@dinamis_questions.post("/dinamis/questions/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Ask DINAMIS, or close."""
    form = tk.request.form
    name = form.get("transition", "")
    sentence = {
        "escalate": tk._("The question is on its way to DINAMIS; the person is told by mail."),
        "close": tk._("The question is closed. A new message of the person opens it again."),
    }.get(name, tk._("Done."))
    tried("dinamis_question_transition", sentence, id=id, transition=name, seen=form.get("seen", ""))
    return tk.redirect_to("dinamis_questions.read", id=id)


@dinamis_questions.get("/dinamis/questions/<id>/files/<file_id>", endpoint="file")
@page
def file(id: str, file_id: str) -> Response:
    """A file's bytes, read right after its action allowed it; saved by the browser, never shown in place."""
    shown = act("dinamis_question_file_show", id=file_id)
    if shown["question_id"] != id:
        raise tk.ObjectNotFound(tk._("This file does not exist."))
    content = session().get(QuestionFile, file_id).content
    answer = file_response(content, shown["media_type"], "file", inline=False)
    answer.headers.set("Content-Disposition", "attachment", filename=shown["name"])
    answer.headers["Content-Security-Policy"] = "sandbox"
    return answer


@dinamis_questions.get("/dinamis/moderation/questions", endpoint="queue")
@page
def queue() -> Any:
    """Everybody's questions: those that wait for PIGMA first, the oldest of them first."""
    allowed("dinamis_question_transition")
    names = ("state", "q", "late")
    filters = {name: tk.request.args[name] for name in names if tk.request.args.get(name)}
    found = act("dinamis_question_list", **filters, limit=PAGE_SIZE, offset=offset())
    values = {"found": found, "filters": filters, "state": filters.get("state", ""), "q": filters.get("q", ""),
              "page_size": PAGE_SIZE}  # fmt: skip
    return tk.render("dinamis/questions/queue.html", values)
