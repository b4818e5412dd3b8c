"""The home page of the relay: what it is, which images, how to join."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.dinamis_relais.portal.figures import figures
from ckanext.dinamis_relais.web import act, page

__all__ = ["dinamis_portal"]

dinamis_portal = Blueprint("dinamis_portal", __name__)

#: Members shown under the search before it says that there are more.
SHOWN = 8
#: News and events, and guides, of which the first page shows the titles.
_NEWS, _GUIDES = 3, 4


@dinamis_portal.get("/dinamis", endpoint="home")
@page
def home() -> Any:
    """Anyone's first page; the search among members is answered before any form is shown."""
    query = tk.request.args.get("member", "").replace("\x00", "").strip()
    found = act("dinamis_member_list", q=query, limit=SHOWN) if query else None
    news = act("dinamis_news_list", state="published", limit=_NEWS)["results"]
    guides = act("dinamis_guide_list", state="published", kind="guide", limit=_GUIDES)["results"]
    values = {"query": query, "found": found, "figures": figures(), "news": news, "guides": guides}
    return tk.render("dinamis/portal/home.html", values)
