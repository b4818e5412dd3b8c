"""PIGMA's first page, deliveries, journal; and for a sysadmin, the roles."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from flask import Blueprint

from ckanext.dinamis_relais.authority import GRANTED
from ckanext.dinamis_relais.web import PAGE_SIZE, act, flash, offset, page

__all__ = ["dinamis_overview"]

dinamis_overview = Blueprint("dinamis_overview", __name__)


@dinamis_overview.get("/dinamis/moderation", endpoint="dashboard")
@page
def dashboard() -> Any:
    """What waits for me now: each a number and the queue behind it."""
    tk.check_access("dinamis_delivery_list", {"user": tk.current_user.name}, {})
    files = act("dinamis_application_list", limit=1)["states"]
    accounts = act("dinamis_account_list", limit=1)["states"]
    failed = act("dinamis_delivery_list", state="failed", limit=1)
    todo = [
        (tk._("Files to examine"), sum(files.get(s, 0) for s in ("signed", "under_review")),
         tk.url_for("dinamis_membership.queue", state="signed,under_review")),
        (tk._("Drafts to complete"), files.get("draft", 0), tk.url_for("dinamis_membership.queue", state="draft")),
        (tk._("Details that the board asks for"), files.get("deferred", 0),
         tk.url_for("dinamis_membership.queue", state="deferred")),
        (tk._("Accounts to validate"), accounts.get("requested", 0),
         tk.url_for("dinamis_accounts.queue", state="requested")),
        (tk._("Deliveries that failed"), failed["count"] + len(failed["stopped"]),
         tk.url_for("dinamis_overview.deliveries")),
    ]  # fmt: skip
    waiting = [
        (tk._("Signatures awaited"), files.get("awaiting_signature", 0),
         tk.url_for("dinamis_membership.queue", state="awaiting_signature")),
        (tk._("Files at the executive board"), files.get("submitted", 0),
         tk.url_for("dinamis_membership.queue", state="submitted")),
        (tk._("Accounts on their way to DINAMIS"), accounts.get("validated", 0),
         tk.url_for("dinamis_accounts.queue", state="validated")),
    ]  # fmt: skip
    members = act("dinamis_membership_list", state="active", limit=1)["count"]
    values = {"todo": todo, "waiting": waiting, "members": members, "active_accounts": accounts.get("active", 0)}
    return tk.render("dinamis/overview/dashboard.html", values)


@dinamis_overview.get("/dinamis/moderation/deliveries", endpoint="deliveries")
@page
def deliveries() -> Any:
    """What is owed to DINAMIS and to people."""
    state = tk.request.args.get("state", "")
    found = act("dinamis_delivery_list", state=state, limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/overview/deliveries.html", {"found": found, "state": state, "page_size": PAGE_SIZE})


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


@dinamis_overview.get("/dinamis/moderation/journal", endpoint="journal")
@page
def journal() -> Any:
    """What happened, the newest first."""
    filters = {name: tk.request.args.get(name, "") for name in ("q", "object_id", "organization_id", "actor")}
    found = act("dinamis_journal_list", limit=PAGE_SIZE, offset=offset(), **filters)
    for line in found["results"]:
        user = model.User.get(line["actor"])
        line["actor_name"] = (user.fullname or user.name) if user else ""
        group = model.Group.get(line["organization_id"]) if line["organization_id"] else None
        line["organization_title"] = group.title if group else ""
    verdict = act("dinamis_journal_verify") if tk.request.args.get("verify") else None
    values = {"found": found, "filters": filters, "verdict": verdict, "page_size": PAGE_SIZE}
    return tk.render("dinamis/overview/journal.html", values)


@dinamis_overview.route("/ckan-admin/dinamis-roles", methods=["GET", "POST"], endpoint="roles")
@page
def roles() -> Any:
    """A sysadmin's tab: who holds which role of the relay; grant one."""
    tk.check_access("dinamis_role_grant", {"user": tk.current_user.name}, {})
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
    values = {"found": act("dinamis_role_list", limit=200), "roles": [role.value for role in GRANTED], "form": form}
    return tk.render("dinamis/overview/roles.html", values)


@dinamis_overview.post("/ckan-admin/dinamis-roles/<id>/revoke", endpoint="revoke")
@page
def revoke(id: str) -> Any:
    """End a grant now."""
    act("dinamis_role_revoke", id=id)
    tk.h.flash_success(tk._("The role is revoked. The journal keeps who held it, and until when."))
    return tk.redirect_to("dinamis_overview.roles")
