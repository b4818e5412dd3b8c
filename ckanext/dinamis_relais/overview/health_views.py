"""Health: an address for a monitor, one for Prometheus, a page for PIGMA."""

from __future__ import annotations

import hmac
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, jsonify

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.overview import health
from ckanext.dinamis_relais.web import act, page

dinamis_health = Blueprint("dinamis_health", __name__)


@dinamis_health.get("/dinamis/health", endpoint="monitor")
@page
def monitor() -> Any:
    """For a monitor: 200 when all is well, 503 when not; no secret, no measure."""
    found = act("dinamis_health_check")
    answer = jsonify(found)
    answer.status_code = 200 if found["status"] == "ok" else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer


@dinamis_health.get("/dinamis/metrics", endpoint="metrics")
def metrics() -> Any:
    """For Prometheus, who shows the token of the configuration; without one, there is no such page."""
    wanted = config.metrics_token()
    if not wanted:
        return tk.abort(404, tk._("This page does not exist."))
    given = tk.request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
        return Response("Unauthorized\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    # The token is the right: the caller is no user of this site.
    found = tk.get_action("dinamis_health_show")({"ignore_auth": True}, {})
    return Response(health.prometheus(found["checks"], {}), content_type="text/plain; version=0.0.4; charset=utf-8")


@dinamis_health.get("/dinamis/moderation/health", endpoint="page")
@page
def shown() -> Any:
    """What works and what does not, and what to do about it."""
    return tk.render("dinamis/overview/health.html", {"found": act("dinamis_health_show")})
