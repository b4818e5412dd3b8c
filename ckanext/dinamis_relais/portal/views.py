"""The home page of the relay: what it is, which images, how to join."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.web import act, page

__all__ = ["dinamis_portal"]

dinamis_portal = Blueprint("dinamis_portal", __name__)

#: Members shown under the search before it says that there are more.
SHOWN = 8


@dinamis_portal.get("/dinamis", endpoint="home")
@page
def home() -> Any:
    """Anyone's first page; the search among members is answered before any form is shown."""
    query = tk.request.args.get("member", "").strip()
    members = act("dinamis_membership_list", limit=1000)
    found = act("dinamis_membership_list", q=query, limit=SHOWN) if query else None
    scenes = act("dinamis_scene_search", limit=1)
    departments = {m["territory_code"][:2] for m in members["results"] if m.get("territory_code")}
    series = tk.get_action("package_search")({}, {"fq": "type:imagery-series", "rows": 0})["count"]
    figures = {
        "members": members["count"],
        "departments": len(departments),
        "series": series,
        "scenes": scenes.get("numberMatched", 0),
    }
    return tk.render("dinamis/portal/home.html", {"query": query, "found": found, "figures": figures})
