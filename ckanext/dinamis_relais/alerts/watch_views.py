"""``/dinamis/alerts``: be told of new images, and stop."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.config.middleware.flask_app import csrf
from flask import Blueprint, Response

from ckanext.dinamis_relais.web import act, page, private, problems, tried, within_limit

dinamis_watches = Blueprint("dinamis_watches", __name__, url_prefix="/dinamis/alerts")


@dinamis_watches.post("", endpoint="create", strict_slashes=False)
@page
def create() -> Any:
    """Watch a place; then its page again, which says what follows from it."""
    form = tk.request.form
    kind, code = form.get("kind", ""), form.get("code", "")
    try:
        made = act("dinamis_watch_create", kind=kind, code=code)
    except tk.ValidationError as error:
        for sentence in problems(error):
            tk.h.flash_error(sentence)
        return tk.redirect_to("dinamis_coverage.index")
    sentence = tk._(
        "When new images of “{place}” come, you are told by mail at {email}: at most one message a day. "
        "To stop: your account, or the link in each message."
    )
    tk.h.flash_success(sentence.format(place=made["name"], email=made["email"]))
    return tk.redirect_to(made["page"])


@dinamis_watches.post("/<id>/delete", endpoint="delete")
@page
def delete(id: str) -> Any:
    """Stop watching one place."""
    tried("dinamis_watch_delete", tk._("You are no longer told of the new images of this place."), id=id)
    return tk.redirect_to("dinamis_me.me")


@dinamis_watches.get("/stop/<token>", endpoint="stop_page")
@page
def stop_page(token: str) -> Any:
    """What the link of a mail stops, and the button that does it; nothing changes by opening it."""
    found = act("dinamis_watch_stop_show", token=token)
    return private(Response(tk.render("dinamis/alerts/stop.html", {"token": token, "places": found["places"]})))


@dinamis_watches.post("/stop/<token>", endpoint="stop")
@csrf.exempt  # RFC 8058: mail programs post here by themselves; the link is the right, and it can do nothing else
def stop(token: str) -> Any:
    """Stop all of a person's mails about new images."""
    if not within_limit("alerts-stop"):
        return tk.abort(429)
    try:
        act("dinamis_watch_stop", token=token)
    except tk.ObjectNotFound as error:
        return tk.abort(404, str(error))
    return private(Response(tk.render("dinamis/alerts/stop.html", {"token": token, "places": [], "done": True})))
