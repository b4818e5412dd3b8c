"""PIGMA's first page, deliveries, journal; and for a sysadmin, the roles."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from flask import Blueprint, Response

from ckanext.dinamis_relais.authority import GRANTED
from ckanext.dinamis_relais.journal import reading
from ckanext.dinamis_relais.overview import dashboard, exports
from ckanext.dinamis_relais.overview.health_views import dinamis_health
from ckanext.dinamis_relais.overview.report_views import dinamis_reports
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, attachment, flash, offset, page, table_response

__all__ = ["dinamis_health", "dinamis_overview", "dinamis_reports"]

dinamis_overview = Blueprint("dinamis_overview", __name__)


dinamis_overview.get("/dinamis/moderation", endpoint="dashboard")(dashboard.dashboard)
dinamis_overview.get("/dinamis/moderation/charts/<name>.svg", endpoint="chart")(dashboard.chart)
dinamis_overview.get("/dinamis/moderation/numbers/<name>.<ending>", endpoint="numbers")(dashboard.numbers)
dinamis_overview.get("/dinamis/moderation/<name>.<ending>", endpoint="export")(exports.export)
dinamis_overview.get("/organization/<id>/dinamis/activity", endpoint="partner")(dashboard.partner)


#: Target of delivery → the action that shows what is delivered. A message says it by itself.
_SHOWN_BY = {
    "application": "dinamis_application_show",
    "membership": "dinamis_membership_show",
    "account": "dinamis_account_show",
    "question": "dinamis_question_show",
    "request": "dinamis_request_show",
}


def _with_thing(row: dict[str, Any]) -> dict[str, Any]:
    """A delivery with what it is about in words, and the page where that can be put right."""
    action = _SHOWN_BY.get(row["target"])
    if action is None:
        return row
    thing = act(action, id=row["id"])
    if row["target"] == "question":
        return {**row, "title": thing["title"], "page": tk.url_for("dinamis_questions.read", id=thing["id"])}
    if row["target"] == "request":
        return {**row, "title": thing["title"], "page": tk.url_for("dinamis_requests.read", id=thing["id"])}
    if row["target"] == "account":
        title = f"{thing['given_name']} {thing['family_name']} · {thing['organization_title']}"
        return {**row, "title": title, "page": tk.url_for("dinamis_accounts.read", id=thing["id"])}
    file = thing["application_id"] if row["target"] == "membership" else thing["id"]
    return {**row, "title": thing["organization_title"], "page": tk.url_for("dinamis_membership.file", id=file)}


@dinamis_overview.get("/dinamis/moderation/deliveries", endpoint="deliveries")
@page
def deliveries() -> Any:
    """What is owed to DINAMIS and to people."""
    state = tk.request.args.get("state", "")
    found = act("dinamis_delivery_list", state=state, limit=PAGE_SIZE, offset=offset())
    found["results"] = [_with_thing(row) for row in found["results"]]
    stopped = {stop["target"] for stop in found["stopped"]}
    values = {"found": found, "state": state, "stopped": stopped, "page_size": PAGE_SIZE}
    return tk.render("dinamis/overview/deliveries.html", values)


@dinamis_overview.post("/dinamis/moderation/deliveries/<target>/<id>/retry", endpoint="retry")
@page
def retry(target: str, id: str) -> Any:
    """Try a delivery again now."""
    try:
        act("dinamis_delivery_retry", target=target, id=id)
    except tk.ValidationError as error:
        flash(error)
    else:
        tk.h.flash_success(tk._("It leaves again at the worker's next round, within seconds."))
    return tk.redirect_to("dinamis_overview.deliveries")


def _organization_title(organization_id: str | None) -> str:
    group = model.Group.get(organization_id) if organization_id else None
    return (group.title or "") if group else ""


def _chips(filters: dict[str, str], lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The journal's filters that links set, in words, each with the address of the journal without it."""
    words = {
        "organization_id": _organization_title(filters.get("organization_id")),
        "actor": tk.h.dinamis_actor_label(filters.get("actor", ""), tk.h.dinamis_user_label(filters.get("actor", ""))),
        "object_id": tk.h.dinamis_object_label(lines[0]["object_type"]) if lines else "",
    }
    chips = []
    for name, label in words.items():
        if filters.get(name):
            kept = {other: value for other, value in filters.items() if other != name}
            chips.append((label or filters[name], tk.url_for("dinamis_overview.journal", **kept)))
    return chips


def _journal_filters() -> dict[str, str]:
    args = tk.request.args
    return {name: value for name in reading.FILTERS if (value := args.get(name, "").replace("\x00", "").strip())}


@dinamis_overview.get("/dinamis/moderation/journal", endpoint="journal")
@page
def journal() -> Any:
    """What happened, the newest first."""
    filters = _journal_filters()
    try:
        found = act("dinamis_journal_list", limit=PAGE_SIZE, offset=offset(), **filters)
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_overview.journal")
    for line in found["results"]:
        line["actor_name"] = tk.h.dinamis_user_label(line["actor"])
        line["organization_title"] = _organization_title(line["organization_id"])
    verdict = act("dinamis_journal_verify") if tk.request.args.get("verify") else None
    values = {"found": found, "filters": filters, "verdict": verdict, "page_size": PAGE_SIZE}
    values["chips"] = _chips(filters, found["results"])
    return tk.render("dinamis/overview/journal.html", values)


@dinamis_overview.get("/dinamis/moderation/journal.<ending>", endpoint="journal_export")
@page
def journal_export(ending: str) -> Response:
    """The lines that the filters name, as CSV, XLSX or JSON Lines, whatever their number."""
    filters = _journal_filters()
    try:
        act("dinamis_journal_list", limit=0, **filters)
        params = validated(dict(filters), reading.filters(), {})
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_overview.journal")
    if ending in ("csv", "xlsx"):
        return table_response(reading.table(params), ending)
    if ending != "jsonl":
        raise tk.ObjectNotFound(tk._("This page does not exist."))
    return attachment(Response(reading.json_lines(params), mimetype="application/jsonl"), "journal.jsonl")


@dinamis_overview.route("/ckan-admin/dinamis-roles", methods=["GET", "POST"], endpoint="roles")
@page
def roles() -> Any:
    """A sysadmin's tab: who holds which role of the relay; grant one."""
    allowed("dinamis_role_grant")
    form = tk.request.form
    if tk.request.method == "POST":
        try:
            act("dinamis_role_grant", user=form.get("user", ""), role=form.get("role", ""),
                organization_id=form.get("organization_id", ""))  # fmt: skip
        except tk.ValidationError as error:
            flash(error)
        else:
            tk.h.flash_success(tk._("The role is granted."))
            return tk.redirect_to("dinamis_overview.roles")
    found = act("dinamis_role_list", limit=PAGE_SIZE, offset=offset())
    values = {"found": found, "roles": [role.value for role in GRANTED], "form": form, "page_size": PAGE_SIZE}
    return tk.render("dinamis/overview/roles.html", values)


@dinamis_overview.post("/ckan-admin/dinamis-roles/<id>/revoke", endpoint="revoke")
@page
def revoke(id: str) -> Any:
    """End a grant now."""
    act("dinamis_role_revoke", id=id)
    tk.h.flash_success(tk._("The role is revoked. The journal keeps who held it, and until when."))
    return tk.redirect_to("dinamis_overview.roles")
