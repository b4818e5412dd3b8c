"""Pages of requests for images: ask, look at the archive first, follow; and PIGMA's queue. They only call actions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import orjson
from flask import Blueprint, Response

from ckanext.dinamis_relais import __version__, config
from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.imagery.views import HOME, TOWNS
from ckanext.dinamis_relais.imagery_requests.areas import MEGABYTE
from ckanext.dinamis_relais.imagery_requests.given import KINDS
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, file_response, offset, page, tried

__all__ = ["dinamis_requests"]

dinamis_requests = Blueprint("dinamis_requests", __name__)

_FIELDS = ("title", "purpose", "starts_on", "ends_on", "cloud", "product", "organization_id")
#: Scenes that the page of the archive lists.
_LISTED = 20


def _login_first() -> Any:
    tk.h.flash_notice(tk._("Log in to ask for an image: your account says for which organisation you ask."))
    return tk.redirect_to("user.login", next=tk.request.full_path.rstrip("?"))


def _area() -> dict[str, Any]:
    """The area of the form: a file outweighs a drawing, a drawing a territory's name."""
    form, sent = tk.request.form, tk.request.files.get("file")
    if sent is not None and sent.filename:
        largest = config.request_area_mb() * MEGABYTE + 1
        return {"file_name": sent.filename, "file_content": sent.stream.read(largest)}
    if form.get("area", "").strip():
        return {"area": form["area"]}
    return {"place": form.get("place", ""), "place_kind": form.get("place_kind", "commune")}


def _map(area: Any = None, scenes: Any = ()) -> str:
    """What the map needs, as JSON that is safe inside a script element."""
    features = [{"type": "Feature", "id": one["key"], "geometry": one["geometry"], "properties": {}} for one in scenes]
    data = {
        "scenes": {"type": "FeatureCollection", "features": features},
        "place": {"type": "Feature", "id": "place", "geometry": area, "properties": {}} if area else None,
        "bbox": None, "home": None if area else HOME, "tiles": None,
        "outline": tk.h.url_for_static("/dinamis/outline.json"), "towns": TOWNS,
        "base": config.map_tiles_url(), "attribution": config.map_attribution(),
    }  # fmt: skip
    return orjson.dumps(data).decode().replace("<", "\\u003c")


def _form(errors: dict[str, Any], status: int = 200) -> Any:
    given = tk.request.form if tk.request.method == "POST" else tk.request.args
    values = {
        "data": given, "errors": errors, "kinds": list(KINDS), "map": _map(),
        "window": config.request_window_days(), "lead": config.request_lead_days(),
        "active": bool(active_organizations(tk.current_user.id)),  # type: ignore[union-attr]
        "file_mb": config.request_area_mb(), "assets_version": __version__,
    }  # fmt: skip
    return tk.render("dinamis/imagery_requests/new.html", values), status


@dinamis_requests.get("/dinamis/requests", endpoint="mine")
@page
def mine() -> Any:
    """My requests and, for a referent, those of the organisation."""
    if tk.current_user.is_anonymous:
        return _login_first()
    everybody = tk.request.args.get("of") == "organization"
    found = act("dinamis_request_list", mine=not everybody, limit=PAGE_SIZE, offset=offset())
    values = {"found": found, "everybody": everybody, "page_size": PAGE_SIZE}
    return tk.render("dinamis/imagery_requests/mine.html", values)


@dinamis_requests.route("/dinamis/requests/new", methods=["GET", "POST"], endpoint="new")
@page
def new() -> Any:
    """Say what is wanted; what is sent here is only looked at: the page that follows shows the archive first."""
    if tk.current_user.is_anonymous:
        return _login_first()
    allowed("dinamis_request_create")
    if tk.request.method == "GET" or tk.request.form.get("step") == "change":
        return _form({})
    form = tk.request.form
    errors: dict[str, Any] = {}
    if not form.get("purpose", "").strip():
        errors["purpose"] = [tk._("Say what the image is for: what you will look at, and who uses the result.")]
    try:
        data = {name: form[name] for name in _FIELDS if name in form and name not in ("title", "purpose")}
        found = act("dinamis_request_preview", **data, **_area())
    except tk.ValidationError as error:
        errors = {**error.error_dict, **errors}
    if errors:
        return _form(errors, 422)
    values = {
        "data": form, "found": found, "title": form.get("title", "").strip() or found["title"] or tk._("Drawn area"),
        "scenes": found["archive"]["scenes"][:_LISTED], "geometry": orjson.dumps(found["area"]).decode(),
        "map": _map(found["area"], found["archive"]["scenes"][:_LISTED]), "assets_version": __version__,
    }  # fmt: skip
    return tk.render("dinamis/imagery_requests/preview.html", values)


@dinamis_requests.post("/dinamis/requests", endpoint="create")
@page
def create() -> Any:
    """Send the request, or say that the archive's images are enough."""
    if tk.current_user.is_anonymous:
        return _login_first()
    form = tk.request.form
    data = {name: form[name] for name in _FIELDS if name in form}
    by_archive = form.get("step") == "archive"
    scenes = form.getlist("scenes") if by_archive else []
    try:
        request = act("dinamis_request_create", **data, **_area(), by_archive=by_archive, scenes=scenes)
    except tk.ValidationError as error:
        return _form(error.error_dict, 422)
    tk.h.flash_success(
        tk._("Noted: the archive's images are enough. Open them below to download them.")
        if by_archive
        else tk._("Your request is sent to {relay}: a mail tells you what follows.").format(relay=config.relay_name())
    )
    return tk.redirect_to("dinamis_requests.read", id=request["id"])


@dinamis_requests.get("/dinamis/requests/<id>", endpoint="read")
@page
def read(id: str) -> Any:
    """A request: its line of time, its area, what may be done now."""
    request = act("dinamis_request_show", id=id)
    values = {"request_": request, "map": _map(request["area"]), "assets_version": __version__}
    return tk.render("dinamis/imagery_requests/read.html", values)


@dinamis_requests.get("/dinamis/requests/<id>/area.geojson", endpoint="area")
@page
def area(id: str) -> Response:
    """The area as a file for a GIS."""
    request = act("dinamis_request_show", id=id)
    if not request["area"]:
        raise tk.ObjectNotFound(tk._("The area was erased."))
    feature = {"type": "Feature", "properties": {"title": request["title"]}, "geometry": request["area"]}
    return file_response(orjson.dumps(feature), "application/geo+json", "zone.geojson", inline=False)


@dinamis_requests.post("/dinamis/requests/<id>/transition", endpoint="transition")
@page
def transition(id: str) -> Any:
    """Take a request further; back to where it was decided."""
    form = tk.request.form
    name = form.get("transition", "")
    sentence = {
        "hold": tk._("The request is marked as being examined."),
        "accept": tk._("The request is accepted: it leaves for DINAMIS, and the person is told by mail."),
        "reject": tk._("The request is not accepted; the person is told why by mail."),
        "answer": tk._("The request is answered from the archive; the person is told by mail."),
        "take": tk._("Noted: the archive's images are enough."),
        "withdraw": tk._("Your request is withdrawn; its surface no longer counts."),
    }.get(name, tk._("The status is recorded; the person is told by mail where it matters."))
    data = {key: form[key] for key in ("reason", "reason_code", "answer", "seen") if form.get(key)}
    scenes = form.getlist("scenes") + form.get("more_scenes", "").split()
    tried("dinamis_request_transition", sentence, id=id, transition=name, scenes=scenes, **data)
    return tk.redirect_to("dinamis_requests.queue" if form.get("from") == "queue" else "dinamis_requests.read",
                          **({} if form.get("from") == "queue" else {"id": id}))  # fmt: skip


@dinamis_requests.get("/dinamis/moderation/requests", endpoint="queue")
@page
def queue() -> Any:
    """Everybody's requests: those that wait for PIGMA first, the oldest of them first."""
    allowed("dinamis_request_transition")
    filters = {name: tk.request.args[name] for name in ("state", "q") if tk.request.args.get(name)}
    found = act("dinamis_request_list", **filters, limit=PAGE_SIZE, offset=offset())
    # What helps to decide where a decision waits: what the quotas leave.
    for one in found["results"]:
        waits = one["waiting_side"] == "pigma"
        one["quotas"] = act("dinamis_request_show", id=one["id"])["quotas"] if waits else []
    values = {"found": found, "state": filters.get("state", ""), "q": filters.get("q", ""), "page_size": PAGE_SIZE}
    return tk.render("dinamis/imagery_requests/queue.html", values)
