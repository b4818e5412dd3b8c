"""Pages of use cases: find, read, write, and PIGMA's queue. What they show and do are actions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.use_cases import pictures
from ckanext.dinamis_relais.use_cases.rules import LONGEST, TERRITORIES, THEMES
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, file_response, offset, page, tried

__all__ = ["dinamis_use_cases"]

dinamis_use_cases = Blueprint("dinamis_use_cases", __name__)

#: Cards on one page.
_CARDS = 24
_WORDS = (*LONGEST, "territory_kind", "territory_code", "organization_id")


def _login_first() -> Any:
    tk.h.flash_notice(tk._("Log in to propose a use case: your account says for which organisation."))
    return tk.redirect_to("user.login", next=tk.request.full_path.rstrip("?"))


def _writes() -> bool:
    """Whether the person may propose: with an account that is active, or as PIGMA."""
    user = tk.current_user
    if user.is_anonymous:
        return False
    return tk.h.dinamis_can("use_case.publish") or bool(active_organizations(user.id))  # type: ignore[union-attr]


@dinamis_use_cases.get("/dinamis/use-cases", endpoint="index")
@page
def index() -> Any:
    """What is published, by theme and by series; above it, what one's own organisation is writing."""
    names = ("theme", "series", "q")
    filters = {name: tk.request.args[name].strip() for name in names if tk.request.args.get(name, "").strip()}
    found = act("dinamis_use_case_list", **filters, limit=_CARDS, offset=offset(_CARDS))
    writes, own = _writes(), []
    if writes and not filters:
        own = act("dinamis_use_case_list", mine=True, state="draft,proposed,sent_back")["results"]
    values = {"found": found, "filters": filters, "own": own, "writes": writes, "page_size": _CARDS,
              "series": _series_title(filters.get("series", ""))}  # fmt: skip
    return tk.render("dinamis/use_cases/index.html", values)


def _series_title(id_: str) -> str:
    if not id_:
        return ""
    try:
        return act("package_show", id=id_)["title"]
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return id_


def _all_series() -> list[dict[str, str]]:
    """The series of the catalogue, the newest year first."""
    found = act("package_search", fq="type:imagery-series", rows=200, fl="id,title,name", sort="title_string desc")
    return [{"id": one["id"], "title": one.get("title") or one["name"]} for one in found["results"]]


def _sent() -> dict[str, Any]:
    """What the form holds."""
    form = tk.request.form
    data: dict[str, Any] = {name: form[name] for name in _WORDS if name in form}
    if form.get("territory_choice"):
        data["territory_code"] = form["territory_choice"]
    elif form.get("territory_was") != data.get("territory"):  # another place was typed: the code is of the former
        data["territory_code"] = ""
    data |= {"themes": form.getlist("themes"), "series": form.getlist("series")}
    file = tk.request.files.get("picture")
    if file is not None and file.filename:
        data["picture"] = file.stream.read(pictures.LARGEST * pictures.MEGABYTE + 1)
    if form.get("no_picture"):
        data["no_picture"] = True
    return data


def _form(case: dict[str, Any] | None) -> Any:
    errors: dict[str, Any] = {}
    sent = tk.request.method == "POST"
    data = _sent() if sent else dict(case or {})
    if sent:
        try:
            done = _save(case, data)
        except tk.ValidationError as error:
            errors = error.error_dict
        else:
            return tk.redirect_to("dinamis_use_cases.read", id=done["name"])
    elif case:
        data["series"] = [one["id"] for one in case["series"]]
    values = {
        "case": case, "data": data, "errors": errors, "all_series": _all_series(), "kinds": TERRITORIES,
        "longest": LONGEST, "picture_mb": pictures.LARGEST, "chosen_picture": bool(data.get("picture")),
        "choices": [one.partition(" ")[::2] for one in errors.pop("territory_choices", [])],
    }  # fmt: skip
    return tk.render("dinamis/use_cases/edit.html", values), (422 if errors else 200)


def _save(case: dict[str, Any] | None, data: dict[str, Any]) -> dict[str, Any]:
    """Keep the text; then, where the button says so, propose it: what is missing is said, and the text is kept."""
    if case:
        done = act("dinamis_use_case_update", **{**data, "id": case["id"]})
    else:
        done = act("dinamis_use_case_create", **data)
    if tk.request.form.get("step") == "propose":
        tried("dinamis_use_case_transition", tk._("Proposed: PIGMA reads it, and a mail tells you what follows."),
              id=done["id"], transition="propose")  # fmt: skip
    else:
        tk.h.flash_success(tk._("Saved."))
    return done


@dinamis_use_cases.route("/dinamis/use-cases/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Write one."""
    if tk.current_user.is_anonymous:
        return _login_first()
    if not _writes():
        text = tk._("Only people with an active account of a member organisation propose use cases.")
        raise tk.NotAuthorized(text)
    return _form(None)


@dinamis_use_cases.get("/dinamis/use-cases/<id>", endpoint="read")
@page
def read(id: str) -> Any:
    """One use case; for those who work on it, where it stands and what may be done."""
    case = act("dinamis_use_case_show", id=id)
    return tk.render("dinamis/use_cases/read.html", {"case": case})


@dinamis_use_cases.route("/dinamis/use-cases/<id>/edit", methods=["GET", "POST"], endpoint="edit")
@page
def edit(id: str) -> Any:
    """Change its texts."""
    case = act("dinamis_use_case_show", id=id)
    allowed("dinamis_use_case_update", id=case["id"])
    if not case["may_change"]:
        tk.h.flash_notice(tk._("It waits for PIGMA, or it is published: take your proposal back to change it, "
                               "or write to PIGMA."))  # fmt: skip
        return tk.redirect_to("dinamis_use_cases.read", id=case["name"])
    return _form(case)


@dinamis_use_cases.post("/dinamis/use-cases/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Take a use case further; back to where it was decided."""
    form = tk.request.form
    name = form.get("transition", "")
    sentence = {
        "propose": tk._("Proposed: PIGMA reads it, and a mail tells you what follows."),
        "withdraw": tk._("Your proposal is a draft again."),
        "publish": tk._("It is published: anybody reads it now, and its author is told by mail."),
        "send_back": tk._("It is sent back; its author reads your reason by mail."),
        "unpublish": tk._("It is no longer on the site; its author reads your reason by mail."),
        "discard": tk._("The draft is thrown away."),
    }.get(name, tk._("Done."))
    tried("dinamis_use_case_transition", sentence, id=id, transition=name, reason=form.get("reason", ""))
    if form.get("from") == "queue":
        return tk.redirect_to("dinamis_use_cases.queue")
    if name == "discard":
        return tk.redirect_to("dinamis_use_cases.index")
    return tk.redirect_to("dinamis_use_cases.read", id=id)


@dinamis_use_cases.get("/dinamis/use-cases/<id>/picture", endpoint="picture")
@page
def picture(id: str) -> Response:
    """The picture's bytes, right after the action allowed to read its use case."""
    case = act("dinamis_use_case_show", id=id)
    kept = pictures.read(case["id"])
    if kept is None:
        raise tk.ObjectNotFound(tk._("This use case has no picture."))
    answer = file_response(kept.content, kept.media_type, "image.jpg")
    if case["state"] == "published":
        answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@dinamis_use_cases.get("/dinamis/moderation/use-cases", endpoint="queue")
@page
def queue() -> Any:
    """What waits for PIGMA, the oldest first; and, by state, all the others."""
    if not tk.h.dinamis_can("use_case.publish"):
        raise tk.NotAuthorized("use_case.publish")
    state = tk.request.args.get("state") or "proposed"
    query = tk.request.args.get("q", "").strip()
    found = act("dinamis_use_case_list", state=state, q=query, limit=PAGE_SIZE, offset=offset())
    values = {"found": found, "state": state, "q": query, "page_size": PAGE_SIZE, "themes": THEMES}
    return tk.render("dinamis/use_cases/queue.html", values)
