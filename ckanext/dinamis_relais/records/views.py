"""``/dinamis/iso/``: a folder of ISO 19139 records, as harvesters know them from a web server's own listing."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, request

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.web import act, page

__all__ = ["dinamis_records"]

dinamis_records = Blueprint("dinamis_records", __name__, url_prefix="/dinamis/iso")


@dinamis_records.get("/", endpoint="folder")
@page
def folder() -> Response:
    """The folder: each record's link and when it last changed, UTC.

    Without the site's frame: harvesters follow every link of the page.
    """
    found = act("dinamis_record_list")["results"]
    rows = [{**one, "changed": _moment(one)} for one in found]
    response = Response(tk.render("dinamis/records/folder.html", {"records": rows, "csw_url": config.csw_url()}))
    if rows:
        response.last_modified = max(one["changed"] for one in rows)
    return _conditional(response)


@dinamis_records.get("/<name>.xml", endpoint="record")
@page
def record(name: str) -> Response:
    """One record, with ``Last-Modified`` and ``ETag``; 304 for who has it already."""
    found = act("dinamis_record_show", id=name)
    response = Response(found["xml"], content_type="application/xml; charset=utf-8")
    response.last_modified = _moment(found)
    return _conditional(response)


def _moment(one: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(one["changed"].replace("Z", "+00:00"))


def _conditional(response: Response) -> Response:
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, no-cache"
    response.make_conditional(request)
    return response
