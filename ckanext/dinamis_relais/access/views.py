"""Pages of the room: my DINAMIS login, licences, files, my basket, my downloads. They only call actions."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, jsonify

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.access import formats
from ckanext.dinamis_relais.web import PAGE_SIZE, act, file_response, flash, offset, page, private, problems, tried

__all__ = ["dinamis_basket", "dinamis_files", "dinamis_identity", "dinamis_licences"]

dinamis_identity = Blueprint("dinamis_identity", __name__, url_prefix="/dinamis/me/identity")
dinamis_licences = Blueprint("dinamis_licences", __name__, url_prefix="/dinamis/licences")
dinamis_files = Blueprint("dinamis_files", __name__, url_prefix="/dinamis")
dinamis_basket = Blueprint("dinamis_basket", __name__, url_prefix="/dinamis/me/basket")


def _next() -> str:
    """Where the person came from, when that is a page of this site; else empty."""
    target = tk.request.form.get("next") or tk.request.args.get("next") or ""
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not urlsplit(target).netloc
    return target if ours else ""


def _back(fallback: str) -> Any:
    return tk.redirect_to(_next() or fallback)


def _logged_in() -> None:
    if tk.current_user.is_anonymous:
        raise tk.NotAuthorized


@dinamis_identity.get("", endpoint="show", strict_slashes=False)
@page
def identity() -> Any:
    """My DINAMIS login: not linked, waiting for my consent, linked, or to link again."""
    _logged_in()
    link = act("dinamis_identity_link_show")
    return tk.render("dinamis/access/identity.html", {"link": link, "next": _next()})


@dinamis_identity.post("/start", endpoint="start")
@page
def start() -> Any:
    """Ask DINAMIS for a code."""
    try:
        act("dinamis_identity_link_start")
    except tk.ValidationError as error:
        flash(error)
    return tk.redirect_to("dinamis_identity.show", next=_next() or None)


@dinamis_identity.post("/finish", endpoint="finish")
@page
def finish() -> Any:
    """Look whether the person has said yes; the page's script asks for JSON, the button for a page."""
    scripted = tk.request.accept_mimetypes.best == "application/json"
    here = tk.url_for("dinamis_identity.show", next=_next() or None)
    try:
        link = act("dinamis_identity_link_finish")
    except tk.ValidationError as error:
        flash(error)
        return jsonify(state="over") if scripted else tk.redirect_to(here)
    if link["state"] == "linked":
        tk.h.flash_success(tk._("Done: your DINAMIS login is linked. You may download now."))
    if scripted:
        return jsonify(state=link["state"])
    if link["state"] == "pending":
        tk.h.flash_notice(tk._("DINAMIS still waits for your answer on its page. Say yes there, then come back here."))
        return tk.redirect_to(here)
    return _back(here)


@dinamis_identity.post("/keys", endpoint="keys")
@page
def keys() -> Any:
    """Link a key pair."""
    form = tk.request.form
    given = {name: form.get(name, "") for name in ("access_key", "secret_key")}
    try:
        act("dinamis_identity_link_finish", **(given if any(given.values()) else {"access_key": " "}))
    except tk.ValidationError as error:
        link = act("dinamis_identity_link_show")
        shown = {"link": link, "errors": error.error_dict, "access_key": given["access_key"],
                 "next": _next()}  # fmt: skip
        return tk.render("dinamis/access/identity.html", shown), 422
    tk.h.flash_success(tk._("Done: your keys work and are linked. You may download now."))
    return _back(tk.url_for("dinamis_identity.show"))


@dinamis_identity.post("/unlink", endpoint="unlink")
@page
def unlink() -> Any:
    """Unlink, or drop a link under way."""
    tried("dinamis_identity_link_delete", tk._("Your DINAMIS login is no longer linked here."))
    return tk.redirect_to("dinamis_identity.show")


@dinamis_licences.get("", endpoint="index", strict_slashes=False)
@page
def licence_index() -> Any:
    """All licences of the images."""
    return tk.render("dinamis/access/licences.html", {"licences": act("dinamis_licence_list")["results"]})


@dinamis_licences.get("/<licence>", endpoint="show")
@page
def licence(licence: str) -> Any:
    """One licence in plain words, and its acceptance."""
    found = next((one for one in act("dinamis_licence_list")["results"] if one["licence"] == licence), None)
    if found is None:
        raise tk.ObjectNotFound(tk._("There is no such licence."))
    return tk.render("dinamis/access/licence.html", {"licence": found, "next": _next()})


@dinamis_licences.post("/<licence>", endpoint="accept")
@page
def accept(licence: str) -> Any:
    """Accept a licence."""
    _logged_in()
    form = tk.request.form
    here = tk.url_for("dinamis_licences.show", licence=licence, next=_next() or None)
    if not form.get("accept"):
        tk.h.flash_error(tk._("Tick the box: files open once the licence is accepted."))
        return tk.redirect_to(here)
    try:
        act("dinamis_licence_accept", licence=licence, version=form.get("version", ""))
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to(here)
    tk.h.flash_success(tk._("Thank you: the licence is accepted. You will not be asked again for this version."))
    return _back(here)


@dinamis_files.get("/images/<collection>/<path:item_id>/assets/<key>", endpoint="asset")
@page
def asset(collection: str, item_id: str, key: str) -> Any:
    """A file's lasting address: leads to a link that is signed this moment, for who asks, or says what is missing."""
    _logged_in()
    item = act("dinamis_scene_show", collection=collection, id=item_id)
    found = (item.get("assets") or {}).get(key)
    if found is None:
        raise tk.ObjectNotFound(tk._("This scene has no such file."))
    try:
        signed = act("dinamis_asset_sign", urls=[found["href"]], theme=tk.request.args.get("theme"))
    except tk.ValidationError as error:
        if tk.request.headers.get(tk.config["apitoken_header_name"]):
            return private(Response("\n".join(problems(error)) + "\n", 409, mimetype="text/plain"))
        flash(error)
        return tk.redirect_to("dinamis_imagery.scene", collection=collection, item_id=item_id, _anchor="files-title")
    return private(tk.redirect_to(signed["hrefs"][found["href"]]))


@dinamis_files.post("/images/<collection>/<path:item_id>/assets/<key>/preview", endpoint="preview")
@page
def preview(collection: str, item_id: str, key: str) -> Any:
    """A link for the map of the scene's own page, for who asks; a download like any other, as JSON for its script."""
    _logged_in()
    if not config.image_preview():
        raise tk.ObjectNotFound(tk._("This site does not show images on its map."))
    found = (act("dinamis_scene_show", collection=collection, id=item_id).get("assets") or {}).get(key)
    if found is None:
        raise tk.ObjectNotFound(tk._("This scene has no such file."))
    try:
        signed = act("dinamis_asset_sign", urls=[found["href"]], theme=tk.request.form.get("theme"))
    except tk.ValidationError as error:
        answer = jsonify(problem=" ".join(problems(error)))
        answer.status_code = 409
        return private(answer)
    return private(jsonify(href=signed["hrefs"][found["href"]]))


@dinamis_files.get("/me/downloads", endpoint="downloads")
@page
def downloads() -> Any:
    """The files that were handed out to me."""
    _logged_in()
    found = act("dinamis_download_list", limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/access/downloads.html", {**found, "page_size": PAGE_SIZE})


@dinamis_files.post("/me/downloads/<form>", endpoint="form")
@page
def form_of(form: str) -> Any:
    """The files of a scene or of my basket, in the form that a tool takes; journalled, hence no GET."""
    _logged_in()
    asked = tk.request.form
    scene = asked.get("collection"), asked.get("id")
    fallback = (
        tk.url_for("dinamis_imagery.scene", collection=scene[0], item_id=scene[1], _anchor="files-title")
        if all(scene) else tk.url_for("dinamis_basket.show")
    )  # fmt: skip
    if form != "python" and form not in formats.FORMS:
        raise tk.ObjectNotFound(tk._("There is no such form of a list."))
    files = _scene_files(*scene) if all(scene) else _basket_files()
    roles = set(asked.getlist("role"))
    chosen = [one for one in files if not roles or one["role"] in roles]
    chosen = [one for one in chosen if tk.h.dinamis_signable(one["url"])]
    if not chosen:
        tk.h.flash_error(tk._("There is no file of this kind to download. Choose another kind."))
        return tk.redirect_to(fallback)
    if form == "python":
        text = formats.python([(one["url"], one["name"]) for one in chosen])
        return file_response(text.encode(), "text/x-python", "telecharger.py", inline=False)
    try:
        hrefs = act("dinamis_asset_sign", urls=[one["url"] for one in chosen], theme=asked.get("theme"))["hrefs"]
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to(fallback)
    made = formats.FORMS[form]
    links = [formats.Link(one["url"], hrefs[one["url"]], one["name"], one["title"], one["raster"]) for one in chosen]
    return private(file_response(made.make(links).encode(), made.media_type, made.name, inline=False))


def _scene_files(collection: str | None, item_id: str | None) -> list[dict[str, Any]]:
    return act("dinamis_basket_show", collection=collection, id=item_id)["results"][0]["files"]


def _basket_files() -> list[dict[str, Any]]:
    return [file for scene in act("dinamis_basket_show")["results"] for file in scene["files"]]


@dinamis_basket.get("", endpoint="show", strict_slashes=False)
@page
def basket() -> Any:
    """The images I put aside."""
    _logged_in()
    try:
        found = act("dinamis_basket_show")
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_me.me")
    collection = found["results"][0]["collection"] if found["results"] else ""
    rights = act("dinamis_download_rights", collection=collection)
    return tk.render("dinamis/access/basket.html", {"basket": found, "rights": rights})


@dinamis_basket.post("/add", endpoint="add")
@page
def add() -> Any:
    """Put a scene or a series aside."""
    _logged_in()
    asked = {name: tk.request.form.get(name) for name in ("collection", "id", "year")}
    try:
        found = act("dinamis_basket_add", **{name: value for name, value in asked.items() if value})
    except tk.ValidationError as error:
        flash(error)
        return _back(tk.url_for("dinamis_imagery.explorer"))
    sentence = tk.ungettext("{num} image more in your basket, which now holds {count}.",
                            "{num} images more in your basket, which now holds {count}.", found["added"])  # fmt: skip
    tk.h.flash_success(sentence.format(num=found["added"], count=found["count"]))
    return _back(tk.url_for("dinamis_basket.show"))


@dinamis_basket.post("/remove", endpoint="remove")
@page
def remove() -> Any:
    """Take a scene out, or empty the basket."""
    _logged_in()
    asked = {name: tk.request.form.get(name) for name in ("collection", "id")}
    tried("dinamis_basket_remove", tk._("Your basket is up to date."),
          **{name: value for name, value in asked.items() if value})  # fmt: skip
    return tk.redirect_to("dinamis_basket.show")
