"""The sandbox's executive board: what was received, and a decision by button."""

from __future__ import annotations

import base64
import datetime as dt
import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from ckanext.dinamis_relais.sandbox.state import State, now

DECISIONS = {"accept": "accepted", "defer": "deferred", "refuse": "refused"}
STATUS_LABELS = {
    "received": "À décider",
    "accepted": "Accepté",
    "refused": "Refusé",
    "deferred": "Précisions demandées",
    "withdrawn": "Retiré par le relais",
}
KINDS = {
    "first": "Première adhésion",
    "renewal": "Renouvellement",
    "reacceptance": "Nouvelle acceptation des textes",
    "change": "Changement",
}
#: What a relay presumes from a legal category, in words; other codes are shown as they came.
PRESUMPTIONS = {
    "presumed": "éligible",
    "to_justify": "mission d'intérêt public à justifier",
    "contractor_only": "prestataire d'un organisme public, ou recherche",
    "unknown": "aucune",
}
DECIDED_BY = "Bureau exécutif du bac à sable"


class NotDecidable(ValueError):  # a state of the file, told to the person
    """The decision cannot be taken; the text says why, in French."""


def moment(text: str | None) -> str:
    """A date or time of the contract as a person reads it: day first, UTC; what cannot be read stays as it came."""
    if not text or len(text) <= 10:
        return "/".join(reversed(text.split("-"))) if text else ""
    try:
        found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    aware = found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)
    return f"{aware.astimezone(dt.timezone.utc):%d/%m/%Y %H:%M} UTC"


def dossiers(state: State) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Files to decide, oldest first, then the others, last decided first."""
    with state.read() as db:
        waiting = db.execute("SELECT * FROM applications WHERE status = 'received' ORDER BY received_at, id").fetchall()
        others = db.execute(
            "SELECT * FROM applications WHERE status <> 'received' ORDER BY coalesce(decided_at, received_at) DESC, id"
        ).fetchall()
    return [_dossier(row) for row in waiting], [_dossier(row) for row in others]


def _dossier(row: sqlite3.Row) -> dict[str, Any]:
    return {**dict(row), "body": json.loads(row["body"]), "label": STATUS_LABELS[row["status"]]}


def read(state: State, key: str) -> dict[str, Any]:
    """One file and its events.

    :raises KeyError: unknown
    """
    with state.read() as db:
        row = db.execute("SELECT * FROM applications WHERE id = ?", (key,)).fetchone()
        events = db.execute("SELECT at, what FROM events WHERE application_id = ? ORDER BY id", (key,)).fetchall()
    if row is None:
        raise KeyError(key)
    return {**_dossier(row), "events": [dict(event) for event in events]}


def decide(state: State, key: str, decision: str, reason: str, version: str = "") -> None:
    """Take the board's decision on a received file.

    :param decision: ``accept``, ``defer`` or ``refuse``
    :param reason: needed by the two latter
    :param version: version that the person read; empty when they did not say
    :raises NotDecidable: unknown decision, no reason, a file that is not waiting, a version that is not held any more
    """
    if decision not in DECISIONS:
        raise NotDecidable("Choisissez une décision.")
    if decision != "accept" and not reason:
        raise NotDecidable("Indiquez le motif : il est transmis à l'organisme.")
    status, at = DECISIONS[decision], now()
    with state.write() as db:
        changed = db.execute(
            "UPDATE applications SET status = ?, decided_at = ?, decided_by = ?, reason = ?"
            " WHERE id = ? AND status = 'received' AND ? IN ('', CAST(version AS TEXT))",
            (status, at, DECIDED_BY, reason or None, key, version),
        )
        if changed.rowcount == 0:
            raise NotDecidable("Ce dossier n'attend plus de décision, ou il a changé : relisez-le avant de décider.")
        line = f"{STATUS_LABELS[status]}. {reason}".strip()
        db.execute("INSERT INTO events (application_id, at, what) VALUES (?, ?, ?)", (key, at, line))


def _document(dossier: dict[str, Any], key: str) -> Response:
    found = next((d for d in dossier["body"]["documents"] if d["id"] == key), None)
    if found is None:
        abort(404)
    answer = Response(base64.b64decode(found["content"]), mimetype=found["media_type"])
    pdf = found["media_type"] == "application/pdf"
    # Only a PDF is ever shown in place: what else a relay sent could be a script.
    way = "inline" if pdf and request.args.get("read") == "1" else "attachment"
    name = found["title"] + (".pdf" if pdf else "")
    answer.headers.set("Content-Disposition", way, filename=name.replace("/", "-"))
    return answer


def blueprint(state: State) -> Blueprint:
    """``/board``, ``/board/<id>``, its documents and its decision."""
    parts = Blueprint("board", __name__, url_prefix="/board")
    parts.add_app_template_filter(moment)
    parts.add_app_template_filter(lambda code: PRESUMPTIONS.get(code, code), "presumption")

    @parts.errorhandler(KeyError)
    def unknown(_error: KeyError) -> tuple[str, int]:
        return render_template("problem.html", title="Introuvable", problem="Ce dossier n'a pas été reçu."), 404

    @parts.get("")
    def queue() -> str:
        waiting, others = dossiers(state)
        return render_template("board.html", waiting=waiting, others=others)

    @parts.get("/<key>")
    def show(key: str) -> str:
        done = request.args.get("done") == "1"
        return render_template("dossier.html", dossier=read(state, key), kinds=KINDS, problem="", done=done, reason="")

    @parts.get("/<key>/documents/<document>")
    def document(key: str, document: str) -> Response:
        return _document(read(state, key), document)

    @parts.post("/<key>/decision")
    def decision(key: str) -> Any:
        dossier, reason = read(state, key), request.form.get("reason", "").strip()
        try:
            decide(state, key, request.form.get("decision", ""), reason, request.form.get("version", ""))
        except NotDecidable as error:
            asked = request.form.get("decision", "")
            page = render_template(
                "dossier.html", dossier=dossier, kinds=KINDS, problem=str(error), done=False, reason=reason, asked=asked
            )
            return page, 422
        return redirect(url_for("board.show", key=key, done=1), 303)

    return parts
