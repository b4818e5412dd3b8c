"""The page of the reports: ask for one, see how far it is, download what was made."""

from __future__ import annotations

import base64
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais.overview import figures
from ckanext.dinamis_relais.overview.report_files import period_label
from ckanext.dinamis_relais.web import PAGE_SIZE, act, file_response, flash, offset, page

__all__ = ["dinamis_reports"]

dinamis_reports = Blueprint("dinamis_reports", __name__, url_prefix="/dinamis/moderation/reports")


def _periods(chosen: str) -> list[tuple[str, str]]:
    """Periods that are over, the last year first; then those that still run, and what the address names."""
    today = figures.today()
    year, quarter = today.year, (today.month - 1) // 3
    choices = [(str(year - 1), str(year - 1))]
    first = (year, quarter * 3 - 2) if quarter else (year - 1, 10)
    months = {"start": f"{first[0]}-{first[1]:02}", "end": f"{first[0]}-{first[1] + 2:02}"}
    choices += [(f"{months['start']}/{months['end']}", period_label(months)), (str(year), str(year)),
                ("12m", tk._("The last {n} months").format(n=12))]  # fmt: skip
    choices += [(str(y), str(y)) for y in range(year - 2, year - 5, -1)]
    return choices if not chosen or chosen in dict(choices) else [(chosen, chosen), *choices]


def _partner(id_: str) -> dict[str, Any] | None:
    return act("organization_show", id=id_, include_datasets=False) if id_ else None


@dinamis_reports.get("", endpoint="list")
@page
def list_() -> Any:
    """What was made, the newest first; asked by htmx, only the list, which changes while one is being made."""
    asked = tk.request.args.get("organization_id", "").replace("\x00", "").strip()
    found = act("dinamis_report_list", organization_id=asked, limit=PAGE_SIZE, offset=offset())
    for row in found["results"]:
        row["period_label"] = period_label(row["period"])
        row["again"] = f"{row['period']['start']}/{row['period']['end']}"
    values = {"found": found, "making": any(row["state"] == "making" for row in found["results"]), "asked": asked,
              "page_size": PAGE_SIZE}  # fmt: skip
    if "HX-Request" in tk.request.headers:
        return tk.render("dinamis/overview/snippets/reports.html", values)
    period = tk.request.args.get("period", "").replace("\x00", "").strip()
    values |= {"period": period, "periods": _periods(period), "partner": _partner(asked)}
    values["activity"] = bool(asked) and tk.h.check_access("dinamis_timeline_show", {"organization_id": asked})
    # Who sees the whole keeps the menu of the moderation beside; a referent has none.
    values["base"] = "dinamis/moderation_base.html" if tk.h.check_access("dinamis_todo_show") else "dinamis/base.html"
    return tk.render("dinamis/overview/reports.html", values)


@dinamis_reports.post("", endpoint="create")
@page
def create() -> Any:
    """Ask for a report."""
    form = tk.request.form
    own = {"organization_id": form["organization_id"]} if form.get("organization_id") else {}
    back = {"organization_id": form["of"]} if form.get("of") else {}
    try:
        act("dinamis_report_create", period=form.get("period", ""), **own)
    except tk.ValidationError as error:
        flash(error)
    else:
        tk.h.flash_success(tk._("The report is being made. You may leave this page: it will be in this list."))
    return tk.redirect_to("dinamis_reports.list", **back)


@dinamis_reports.get("/<id>.<ending>", endpoint="file")
@page
def file(id: str, ending: str) -> Response:
    """The PDF, or its annex."""
    found = act("dinamis_report_file", id=id, ending=ending)
    return file_response(base64.b64decode(found["content"]), found["media_type"], found["name"], ending == "pdf")
