"""The sandbox's DINAMIS: requests for images that the relay passed on, and the statuses that a person gives them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from ckanext.dinamis_relais.sandbox.state import State, now

#: Status code → words.
LABELS = {
    "received": "Reçue", "held": "En examen", "accepted": "Reçue du relais", "scheduled": "Programmée",
    "processing": "En production", "completed": "Livrée", "rejected": "Refusée", "failed": "Échec",
    "expired": "Période échue", "cancelled": "Annulée", "user_cancelled": "Retirée par la personne",
}  # fmt: skip
#: Status → those that may follow.
NEXT = {
    "accepted": ("scheduled", "processing", "completed", "rejected", "failed", "expired", "cancelled"),
    "scheduled": ("processing", "completed", "rejected", "failed", "expired", "cancelled"),
    "processing": ("completed", "failed", "cancelled"),
}
#: Statuses that are given with their reason.
REASONED = frozenset({"rejected", "failed", "cancelled"})


class NotPossible(ValueError):  # told to the person
    """The status cannot be given; the text says why, in French."""


def status(code: str, reason: str | None = None) -> dict[str, Any]:
    """A status as the contract says it, reached now."""
    return {"code": code, "at": now(), "reason_code": None, "reason": reason}


def _request(row: sqlite3.Row) -> dict[str, Any]:
    statuses = [{**one, "label": LABELS[one["code"]]} for one in json.loads(row["statuses"])]
    return {
        **dict(row), "body": json.loads(row["body"]), "statuses": statuses, "label": LABELS[row["status"]],
        "next": [(code, LABELS[code]) for code in NEXT.get(row["status"], ())],
    }  # fmt: skip


def listed(state: State) -> list[dict[str, Any]]:
    """Requests: those under way first, the oldest of them first."""
    query = "SELECT * FROM requests ORDER BY status NOT IN ('accepted', 'scheduled', 'processing'), received_at, id"
    with state.read() as db:
        rows = db.execute(query).fetchall()
    return [_request(row) for row in rows]


def read(state: State, key: str) -> dict[str, Any]:
    """One request.

    :raises KeyError: unknown
    """
    with state.read() as db:
        row = db.execute("SELECT * FROM requests WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise KeyError(key)
    return _request(row)


def give(state: State, key: str, code: str, reason: str) -> None:
    """Give a request a further status; the relay reads it when it asks.

    :raises NotPossible: not from the present status, or without the reason that it needs
    """
    if code in REASONED and not reason.strip():
        raise NotPossible("Écrivez le motif : il est transmis à la personne.")
    with state.write() as db:
        row = db.execute("SELECT * FROM requests WHERE id = ?", (key,)).fetchone()
        if row is None or code not in NEXT.get(row["status"], ()):
            raise NotPossible("Cette demande n'en est plus là : relisez-la.")
        statuses = [*json.loads(row["statuses"]), status(code, reason.strip() or None)]
        db.execute("UPDATE requests SET status = ?, statuses = ? WHERE id = ?", (code, json.dumps(statuses), key))


def blueprint(state: State) -> Blueprint:
    """``/board-requests``, one request, its next status."""
    parts = Blueprint("requests", __name__, url_prefix="/board-requests")

    @parts.errorhandler(KeyError)
    def unknown(_error: KeyError) -> tuple[str, int]:
        return render_template("problem.html", title="Introuvable", problem="Cette demande n'a pas été reçue."), 404

    def shown(key: str, problem: str = "", reason: str = "", code: str = "") -> str:
        done = request.args.get("done") == "1"
        return render_template("request.html", request_=read(state, key), problem=problem, reason=reason, code=code,
                               done=done)  # fmt: skip

    @parts.get("")
    def queue() -> str:
        return render_template("requests.html", requests=listed(state))

    @parts.get("/<key>")
    def show(key: str) -> str:
        return shown(key)

    @parts.post("/<key>/status")
    def set_status(key: str) -> Any:
        read(state, key)
        code, reason = request.form.get("code", ""), request.form.get("reason", "")
        try:
            give(state, key, code, reason)
        except NotPossible as error:
            return shown(key, str(error), reason, code), 422
        return redirect(url_for("requests.show", key=key, done=1), 303)

    return parts
