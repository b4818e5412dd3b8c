"""The sandbox's home page, its health, and its pages for what is not found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from ckanext.dinamis_relais.sandbox import outage
from ckanext.dinamis_relais.sandbox.state import State

#: Status → what happened and what to do, in the words of the pages.
PROBLEMS = {
    404: ("Introuvable", "Cette page n'existe pas."),
    405: ("Méthode non prévue", "Cette adresse ne s'utilise pas ainsi."),
    413: ("Envoi trop grand", "Réduisez la taille des pièces, 64 Mo au plus."),
    500: ("Erreur du bac à sable", "Le journal du bac à sable dit pourquoi."),
}


def blueprint(state: State) -> Blueprint:
    """``/``, ``/health``, and pages for what goes wrong."""
    parts = Blueprint("pages", __name__)

    @parts.get("/")
    def home() -> str:
        names = ("applications", "memberships", "accounts", "questions", "requests", "mails")
        counts = {name: state.count(name) for name in names}
        waiting = state.count("applications", "status = 'received'")
        questions = state.count("questions", "status = 'received'")
        images = state.count("requests", "status IN ('accepted', 'scheduled', 'processing')")
        failing = [label for name, label in outage.SERVICES.items() if outage.modes(state)[name] != "ok"]
        values = {"waiting": waiting, "questions": questions, "images": images, "failing": failing}
        return render_template("home.html", counts=counts, **values)

    @parts.get("/health")
    def health() -> Response:
        state.count("mails")
        return jsonify(status="ok", sandbox="Bac à sable : ceci n'est pas DINAMIS, données synthétiques")

    @parts.app_errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        if error.response is not None:
            return error.response
        status = error.code or 500
        title, problem = PROBLEMS.get(status, ("Demande refusée", "Le bac à sable n'a pas compris cette demande."))
        if "text/html" in request.headers.get("Accept", ""):
            return render_template("problem.html", title=title, problem=problem), status
        return jsonify(error={"field": None, "problem": title, "remedy": problem}), status

    return parts
