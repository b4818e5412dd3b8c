"""The sandbox's executive board: questions that the relay passed on, and an answer that a person types."""

from __future__ import annotations

import base64
import json
import sqlite3
import uuid
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from ckanext.dinamis_relais.sandbox.state import State, now

STATUS_LABELS = {"received": "À répondre", "answered": "Répondu", "closed": "Close"}
SIDES = {"person": "La personne", "relay": "Le relais", "dinamis": "DINAMIS"}
KINDS = {"scene": "Scène", "series": "Série", "guide": "Guide", "page": "Page"}


class NotAnswerable(ValueError):  # a state of the question, told to the person
    """The answer cannot be given; the text says why, in French."""


def _question(row: sqlite3.Row) -> dict[str, Any]:
    return {
        **dict(row),
        "body": json.loads(row["body"]),
        "answers": json.loads(row["answers"]),
        "label": STATUS_LABELS[row["status"]],
    }


def listed(state: State) -> list[dict[str, Any]]:
    """Questions: those that await an answer first, the oldest of them first."""
    with state.read() as db:
        rows = db.execute("SELECT * FROM questions ORDER BY status <> 'received', received_at, id").fetchall()
    return [_question(row) for row in rows]


def read(state: State, key: str) -> dict[str, Any]:
    """One question.

    :raises KeyError: unknown
    """
    with state.read() as db:
        row = db.execute("SELECT * FROM questions WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise KeyError(key)
    return _question(row)


def answer(state: State, key: str, text: str) -> None:
    """Answer a question that awaits it; the relay reads the answer when it asks.

    :raises NotAnswerable: no text, or a question that awaits nothing any more
    """
    if not text.strip():
        raise NotAnswerable("Écrivez la réponse : elle est transmise à la personne.")
    with state.write() as db:
        row = db.execute("SELECT * FROM questions WHERE id = ?", (key,)).fetchone()
        if row is None or row["status"] != "received":
            raise NotAnswerable("Cette question n'attend plus de réponse : relisez-la.")
        answers = [*json.loads(row["answers"]), {"id": uuid.uuid4().hex, "at": now(), "text": text.strip()}]
        db.execute("UPDATE questions SET status = 'answered', answers = ? WHERE id = ?", (json.dumps(answers), key))


def _file(question: dict[str, Any], key: str) -> Response:
    found = next((d for d in question["body"]["documents"] if d["id"] == key), None)
    if found is None:
        abort(404)
    # Never shown in place: what a person sent could be a script.
    sent = Response(base64.b64decode(found["content"]), mimetype=found["media_type"])
    sent.headers.set("Content-Disposition", "attachment", filename=found["title"].replace("/", "-"))
    return sent


def blueprint(state: State) -> Blueprint:
    """``/board-questions``, one question, its files and its answer."""
    parts = Blueprint("questions", __name__, url_prefix="/board-questions")

    @parts.errorhandler(KeyError)
    def unknown(_error: KeyError) -> tuple[str, int]:
        return render_template("problem.html", title="Introuvable", problem="Cette question n'a pas été reçue."), 404

    def shown(key: str, problem: str = "", text: str = "") -> str:
        words = {"sides": SIDES, "kinds": KINDS}
        return render_template("question.html", question=read(state, key), problem=problem, text=text,
                               done=request.args.get("done") == "1", **words)  # fmt: skip

    @parts.get("")
    def queue() -> str:
        return render_template("questions.html", questions=listed(state))

    @parts.get("/<key>")
    def show(key: str) -> str:
        return shown(key)

    @parts.get("/<key>/files/<file>")
    def file(key: str, file: str) -> Response:
        return _file(read(state, key), file)

    @parts.post("/<key>/answer")
    def give(key: str) -> Any:
        read(state, key)
        text = request.form.get("text", "")
        try:
            answer(state, key, text)
        except NotAnswerable as error:
            return shown(key, str(error), text), 422
        return redirect(url_for("questions.show", key=key, done=1), 303)

    return parts
