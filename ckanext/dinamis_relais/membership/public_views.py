"""The page of all members, for anyone, and the same as a table."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais.web import PAGE_SIZE, act, csv_of, offset, page

__all__ = ["dinamis_members"]

dinamis_members = Blueprint("dinamis_members", __name__, url_prefix="/dinamis/members")

_PAGE = 1000


def _query() -> str:
    return tk.request.args.get("q", "").replace("\x00", "").strip()


@dinamis_members.get("", endpoint="list")
@page
def list_() -> Any:
    """Members by name, with a search that says in a sentence whether an organisation is one."""
    found = act("dinamis_member_list", q=_query(), limit=PAGE_SIZE, offset=offset())
    return tk.render("dinamis/membership/members.html", {"found": found, "q": _query(), "page_size": PAGE_SIZE})


@dinamis_members.get("/members.csv", endpoint="csv")
@page
def csv_() -> Response:
    """The same search as a table."""
    rows: list[dict[str, Any]] = []
    while True:
        found = act("dinamis_member_list", q=_query(), limit=_PAGE, offset=len(rows))
        rows += found["results"]
        if not found["results"] or len(rows) >= found["count"]:
            break
    table: list[tuple[Any, ...]] = [
        (tk._("Organisation"), tk._("SIREN"), tk._("Member since"), tk._("Territory"), tk._("Département"),
         tk._("Office to contact")),
    ]  # fmt: skip
    table += [
        (
            r["organization_title"],
            r["siren"],
            (r["since"] or "")[:10],
            r["territory_name"],
            r["department"],
            r["office"],
        )
        for r in rows
    ]
    response = Response(csv_of(table), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="membres.csv"'
    return response
