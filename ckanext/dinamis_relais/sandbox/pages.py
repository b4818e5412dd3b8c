"""The sandbox's home page, its health, and its pages for what is not found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from ckanext.dinamis_relais.sandbox.state import State


def blueprint(state: State, settings: Any) -> Blueprint:
    """``/`` and ``/health``.

    :param settings: ``app.Settings``: the addresses that the home page shows
    """
    parts = Blueprint("pages", __name__)

    @parts.get("/")
    def home() -> str:
        counts = {name: state.count(name) for name in ("applications", "memberships", "accounts", "mails")}
        waiting = state.count("applications", "status = 'received'")
        return render_template("home.html", counts=counts, waiting=waiting, settings=settings)

    @parts.get("/health")
    def health() -> Response:
        state.count("mails")
        return jsonify(status="ok", sandbox="Bac à sable : ceci n'est pas DINAMIS, données synthétiques")

    @parts.app_errorhandler(404)
    def not_found(_error: Exception) -> Any:
        if request.accept_mimetypes.best == "text/html" or "text/html" in request.headers.get("Accept", ""):
            return render_template("problem.html", problem="Cette page n'existe pas."), 404
        return jsonify(error={"field": "path", "problem": "inconnu", "remedy": "Voyez la page d'accueil."}), 404

    return parts
