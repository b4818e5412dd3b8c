"""Pages of news and events: read, subscribe, register; write for PIGMA."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.news import feeds
from ckanext.dinamis_relais.news.rules import KINDS, SOURCES
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, csv_of, file_response, offset, page, tried

__all__ = ["dinamis_news"]

dinamis_news = Blueprint("dinamis_news", __name__)

_FIELDS = (
    "kind", "title", "body", "source", "place", "starts_at", "ends_at", "capacity", "registration_until",
)  # fmt: skip
_FEED = 50


@dinamis_news.get("/dinamis/news", endpoint="index", strict_slashes=False)
@page
def index() -> Any:
    """Events to come, then the news."""
    found = act("dinamis_news_list", limit=PAGE_SIZE, offset=offset())
    upcoming = act("dinamis_news_list", kind="event", upcoming=True, state="published", limit=20)["results"]
    return tk.render("dinamis/news/index.html", {"found": found, "upcoming": upcoming, "page_size": PAGE_SIZE})


@dinamis_news.get("/dinamis/news.atom", endpoint="atom")
@page
def atom() -> Response:
    """The newest news and events as an Atom feed."""
    found = act("dinamis_news_list", state="published", limit=_FEED)["results"]
    site = config.site_url()
    title = tk._("News of {relay} and DINAMIS").format(relay=config.relay_name())
    made = feeds.atom(found, title, config.relay_name(), f"{site}/dinamis/news", f"{site}/dinamis/news.atom")
    return Response(made, mimetype="application/atom+xml")


def _calendar(events: list[dict[str, Any]]) -> Response:
    name = tk._("Events of {relay} and DINAMIS").format(relay=config.relay_name())
    made = feeds.calendar(events, name, urlsplit(config.site_url()).hostname or "localhost")
    return Response(made, mimetype="text/calendar")


@dinamis_news.get("/dinamis/news.ics", endpoint="calendar")
@page
def calendar() -> Response:
    """The events as a calendar."""
    return _calendar(act("dinamis_news_list", kind="event", state="published", limit=1000)["results"])


def _form(entry: dict[str, Any] | None) -> Any:
    sent = {key: tk.request.form[key] for key in _FIELDS if key in tk.request.form}
    errors: dict[str, Any] = {}
    if tk.request.method == "POST" and "preview" not in tk.request.form:
        try:
            action, more = ("dinamis_news_update", {"id": entry["id"]}) if entry else ("dinamis_news_create", {})
            done = act(action, **sent, **more)
        except tk.ValidationError as error:
            errors = error.error_dict
        else:
            tk.h.flash_success(tk._("Saved."))
            return tk.redirect_to("dinamis_news.read", id=done["id"])
    local = {key: _local(value) if key.endswith(("_at", "_until")) else value for key, value in (entry or {}).items()}
    data = sent or local or {"kind": tk.request.args.get("kind", "news"), "source": "pigma"}
    values = {"entry": entry, "data": data, "errors": errors, "preview": "preview" in tk.request.form,
              "kinds": KINDS, "sources": SOURCES}  # fmt: skip
    return tk.render("dinamis/news/edit.html", values)


def _local(value: str | None) -> str:
    """A stored time as a ``datetime-local`` field holds it."""
    if not value:
        return ""
    moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment.astimezone(tk.h.get_display_timezone()).strftime("%Y-%m-%dT%H:%M")


@dinamis_news.route("/dinamis/news/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Write news or an event."""
    allowed("dinamis_news_create")
    return _form(None)


@dinamis_news.get("/dinamis/news/<id>", endpoint="read")
@page
def read(id: str) -> Any:
    """One of them; for PIGMA with who is registered."""
    entry = act("dinamis_news_show", id=id)
    people = None
    if entry["capacity"] and tk.h.dinamis_can("event.registrations"):
        people = act("dinamis_event_registrations", id=id)["results"]
    return tk.render("dinamis/news/read.html", {"entry": entry, "people": people})


@dinamis_news.get("/dinamis/news/<id>.ics", endpoint="one_calendar")
@page
def one_calendar(id: str) -> Response:
    """One event for one's calendar."""
    entry = act("dinamis_news_show", id=id)
    if entry["kind"] != "event":
        raise tk.ObjectNotFound(tk._("This news does not exist."))
    return _calendar([entry])


@dinamis_news.route("/dinamis/news/<id>/edit", methods=["GET", "POST"], endpoint="edit")
@page
def edit(id: str) -> Any:
    """Change it."""
    allowed("dinamis_news_update")
    return _form(act("dinamis_news_show", id=id))


@dinamis_news.post("/dinamis/news/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Publish it, or take it back."""
    step = tk.request.form.get("transition", "")
    sentence = {
        "publish": tk._("It is published: anybody reads it now."),
        "unpublish": tk._("It is a draft again: only PIGMA reads it."),
    }.get(step, tk._("Done."))
    tried("dinamis_news_transition", sentence, id=id, transition=step)
    return tk.redirect_to("dinamis_news.read", id=id)


@dinamis_news.post("/dinamis/news/<id>/register", endpoint="register")
@page
def register(id: str) -> Any:
    """Register oneself."""
    tried("dinamis_event_register", tk._("Noted: see below whether you have a place."), id=id)
    return tk.redirect_to("dinamis_news.read", id=id)


@dinamis_news.post("/dinamis/news/<id>/unregister", endpoint="unregister")
@page
def unregister(id: str) -> Any:
    """Cancel one's own registration."""
    tried("dinamis_event_unregister", tk._("Your registration is cancelled."), id=id)
    return tk.redirect_to("dinamis_news.read", id=id)


@dinamis_news.get("/dinamis/news/<id>/registrations.csv", endpoint="registrations")
@page
def registrations(id: str) -> Response:
    """Who is registered, as a file."""
    found = act("dinamis_event_registrations", id=id)["results"]
    names = ("name", "email", "state", "registered_at")
    table = csv_of([names, *([one[name] or "" for name in names] for one in found)])
    return file_response(table, "text/csv", "inscriptions.csv", inline=False)
