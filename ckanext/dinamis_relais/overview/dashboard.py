"""PIGMA's first page: what waits for it, what goes on, and the charts of the same numbers."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from flask import Response

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.membership.rules import CATEGORIES
from ckanext.dinamis_relais.overview import charts, figures, panels
from ckanext.dinamis_relais.overview.timeline import KINDS
from ckanext.dinamis_relais.web import PAGE_SIZE, act, flash, offset, page, table_response

log = logging.getLogger(__name__)

FILTERS = ("period", "department", "category")
#: Panels of a partner's page.
OWN = ("downloads", "series", "themes", "accounts", "requests")


def _links() -> dict[str, tuple[str, str]]:
    """Kind of what waits → (words, address of its queue)."""
    files, accounts = "dinamis_membership.queue", "dinamis_accounts.queue"
    questions, requests = "dinamis_questions.queue", "dinamis_requests.queue"
    return {
        "files": (tk._("Files to examine"), files), "drafts": (tk._("Drafts to complete"), files),
        "details": (tk._("Details that the board asks for"), files),
        "accounts": (tk._("Accounts to validate"), accounts), "requests": (tk._("Requests for images"), requests),
        "questions": (tk._("Questions to answer"), questions),
        "use_cases": (tk._("Use cases to publish"), "dinamis_use_cases.queue"),
        "deliveries": (tk._("Deliveries that failed"), "dinamis_overview.deliveries"),
        "confirmations": (tk._("Confirmations of grouped mails"), "dinamis_sendings.list"),
        "harvests": (tk._("Harvests that failed"), "dinamis_health.page"),
        "signatures": (tk._("Signatures awaited"), files), "board": (tk._("Files at the executive board"), files),
        "accounts_at_dinamis": (tk._("Accounts on their way to DINAMIS"), accounts),
        "requests_at_dinamis": (tk._("Images at DINAMIS"), requests),
        "questions_at_dinamis": (tk._("Questions at DINAMIS"), questions),
    }  # fmt: skip


def _tiles(found: dict[str, Any]) -> list[dict[str, Any]]:
    links = _links()
    tiles = []
    for row in found["results"]:
        label, endpoint = links[row["kind"]]
        url = tk.url_for(endpoint, state=",".join(row["states"])) if row["states"] else tk.url_for(endpoint)
        days = (utcnow() - _moment(row["oldest"])).days if row["oldest"] else None
        tiles.append({**row, "label": label, "url": url, "days": days})
    return tiles


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def filters(names: tuple[str, ...] = FILTERS) -> dict[str, str]:
    """The filters of the address, without those that are empty."""
    return {name: value for name in names if (value := tk.request.args.get(name, "").replace("\x00", "").strip())}


def _periods() -> list[tuple[str, str]]:
    year = figures.today().year
    months = [(f"{n}m", tk._("The last {n} months").format(n=n)) for n in (12, 24, 3)]
    years = [(str(y), str(y)) for y in range(year, year - 4, -1)]
    return [*months, ("1m", tk._("This month")), *years, (f"2020/{year}", tk._("Since the beginning"))]


def _choices(chosen: dict[str, str], found: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    periods = _periods()
    if chosen.get("period") and chosen["period"] not in dict(periods):
        periods.append((chosen["period"], chosen["period"]))
    codes = {*config.departments(), *(row["department"] for row in found["members"]["by_department"]), figures.NONE}
    codes |= {chosen["department"]} if chosen.get("department") else set()
    places = [(code, panels.department_label(code)) for code in codes]
    return {
        "period": periods,
        "department": sorted(places, key=lambda one: (one[0] == figures.NONE, one[1])),
        "category": [(name, panels.category_label(name)) for name in (*CATEGORIES, figures.NONE)],
    }  # fmt: skip


@page
def dashboard() -> Any:
    """What waits for me now, oldest first; then the figures, filtered by what the address says."""
    todo = act("dinamis_todo_show")
    chosen, problem = filters(), None
    try:
        found = act("dinamis_statistics_show", **chosen)
    except tk.ValidationError as error:
        problem, chosen = error, {}
        found = act("dinamis_statistics_show")
    tiles = _tiles(todo)
    values = {
        "todo": todo, "ours": [row for row in tiles if row["ours"]],
        "waiting": [row for row in tiles if not row["ours"]],
        "found": found, "filters": chosen, "problem": problem, "choices": _choices(chosen, found),
        "panels": [make(found) for make in panels.PANELS.values()],
        "never": found["never_downloaded"], "addresses": _addresses(chosen),
    }  # fmt: skip
    return tk.render("dinamis/overview/dashboard.html", values)


def _addresses(chosen: dict[str, str]) -> dict[str, str]:
    """Addresses of the panels' pictures and files, NAME standing for the panel: CKAN takes its time to make each."""
    query = f"?{urlencode(chosen)}" if chosen else ""
    picture = tk.url_for("dinamis_overview.chart", name="NAME")
    files = {ending: tk.url_for("dinamis_overview.numbers", name="NAME", ending=ending) for ending in ("csv", "xlsx")}
    narrow = urlencode({**chosen, "width": charts.NARROW})
    return {"chart": picture + query, "narrow": f"{picture}?{narrow}", **{e: url + query for e, url in files.items()}}


def _panel(name: str) -> panels.Panel:
    make = panels.PANELS.get(name)
    if make is None:
        raise tk.ObjectNotFound(tk._("This page does not exist."))
    try:
        return make(act("dinamis_statistics_show", **filters((*FILTERS, "organization_id"))))
    except tk.ValidationError as error:
        raise tk.ObjectNotFound(tk._("This page does not exist.")) from error


@page
def chart(name: str) -> Any:
    """A panel's chart as a picture (SVG)."""
    panel = _panel(name)
    width = charts.NARROW if tk.request.args.get("width") == str(charts.NARROW) else charts.WIDE
    spec = panel.draw(width) if panel.draw else None
    if spec is None:
        raise tk.ObjectNotFound(tk._("There is nothing to draw."))
    drawn = charts.svg(spec).encode()
    response = Response(drawn, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "private, max-age=30"
    # Opened by itself, the picture is a page of this site: it holds no script, and could run none.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(hashlib.sha256(drawn).hexdigest()[:32])
    return response.make_conditional(tk.request.environ)


@page
def numbers(name: str, ending: str) -> Response:
    """A panel's numbers as a file: the same as the page's, with the same filters."""
    if ending not in ("csv", "xlsx"):
        raise tk.ObjectNotFound(tk._("This page does not exist."))
    return table_response(_panel(name).table(), ending)


@page
def partner(id: str) -> Any:
    """A partner's page: its figures, and all that happened in the order of time."""
    organization = act("organization_show", id=id, include_datasets=False)
    chosen = filters(("object_type", "since", "until"))
    own = {"organization_id": organization["id"]}
    try:
        found = act("dinamis_timeline_show", **own, **chosen, limit=PAGE_SIZE, offset=offset())
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_overview.partner", id=id)
    figures_ = act("dinamis_statistics_show", **own)
    values = {
        "organization": organization, "found": found, "filters": chosen, "kinds": KINDS, "page_size": PAGE_SIZE,
        "figures": figures_, "panels": [panels.PANELS[name](figures_) for name in OWN], "own": own,
        "addresses": _addresses(own),
    }  # fmt: skip
    return tk.render("dinamis/overview/partner.html", values)
