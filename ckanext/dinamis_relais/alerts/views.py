"""``/dinamis/images/feed.atom``: the explorer's filters, as a feed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.alerts import feed
from ckanext.dinamis_relais.alerts.watch_views import dinamis_watches
from ckanext.dinamis_relais.imagery import describe, filters, places, territories
from ckanext.dinamis_relais.imagery.datasets import site_url
from ckanext.dinamis_relais.web import act, page

__all__ = ["dinamis_alerts", "dinamis_watches"]

dinamis_alerts = Blueprint("dinamis_alerts", __name__, url_prefix="/dinamis/images")


@dinamis_alerts.get("/feed.atom", endpoint="feed")
@page
def atom() -> Any:
    """The scenes that came last: of a territory (``kind``, ``code``), or of what the explorer's filters ask for."""
    asked, wrong = filters.read(tk.request.args)
    if wrong:
        return _problem(tk._("These filters cannot be understood: {names}.").format(names=", ".join(wrong)), 400)
    try:
        name, outline = _territory(asked)
        found = act("dinamis_scene_latest", **asked.body(outline))["results"]
    except places.PlaceUnavailable:
        return _problem(tk._("The place could not be looked up just now. Try again later."), 503)
    except SQLAlchemyError:
        return _problem(tk._("The catalogue of images cannot be read just now. Try again later."), 503)
    title = tk._("New satellite images")
    made = feed.atom(
        [_entry(one) for one in found], f"{title} – {name}" if name else title, config.relay_name(),
        f"{site_url()}/dinamis/images{_page_query(asked)}", site_url() + tk.request.full_path.rstrip("?"),
    )  # fmt: skip
    response = Response(made, mimetype="application/atom+xml")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _territory(asked: filters.Filters) -> tuple[str, dict[str, Any] | None]:
    """Name and outline of the territory that is asked for; empty and None for none.

    :raises toolkit.ObjectNotFound: nobody knows such a territory
    :raises places.PlaceUnavailable: API Géo does not answer
    """
    kind, code = tk.request.args.get("kind", ""), tk.request.args.get("code", "").upper()
    if kind or code:
        known = kind in territories.KINDS and territories.is_code(kind, code)
        found: Any = territories.read(kind, code) if known else None
    elif asked.place:
        named = next(iter(territories.search(asked.place)), None)
        found = territories.read(named.kind, named.code) if named else None
    else:
        return "", None
    if found is None or not found.outline:
        raise tk.ObjectNotFound(
            tk._("There is no such territory. Give kind=commune, epci or departement, and its code.")
        )
    return found.name, found.outline


def _page_query(asked: filters.Filters) -> str:
    """The explorer's query for the same scenes; it knows communes, by their code."""
    args = tk.request.args
    return asked.query(**({"place": args["code"]} if args.get("kind") == "commune" and args.get("code") else {}))


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    row = describe.row(item)
    clouds = tk._("Clouds: {cloud}").format(cloud=row["cloud"])
    return {
        "collection": item["collection"], "id": item["id"], "title": f"{row['sensor']}, {row['date']}",
        "summary": f"{row['sensor']}, {row['date']} {row['time']}. {clouds}. {item['collection']}.",
        "url": site_url() + tk.url_for("dinamis_imagery.scene", collection=item["collection"], item_id=item["id"],
                                       locale="default"),
        "updated": dt.datetime.fromisoformat(item["updated"].replace("Z", "+00:00")),
    }  # fmt: skip


def _problem(sentence: str, status: int) -> Response:
    return Response(sentence, status=status, mimetype="text/plain")
