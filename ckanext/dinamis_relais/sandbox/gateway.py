"""DINAMIS's side of the contract that ``gateway/contract.yaml`` publishes."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ckanext.dinamis_relais.sandbox import contract, requests
from ckanext.dinamis_relais.sandbox.state import State, now

ACCOUNT_STATUS = {"validated": "active", "active": "active", "suspended": "suspended"}
#: Table → schema of what it takes.
SCHEMAS = {"applications": "Application", "memberships": "Membership", "accounts": "Account",
           "questions": "Question", "requests": "Request"}  # fmt: skip
DECIDED = ("decided_at", "decided_by", "reason")


def reference(kind: str, key: str) -> str:
    """A reference that shows where it was given; the same for the same thing.

    :param kind: one letter, ``D`` for a file, ``C`` for an account, ``Q`` for a question, ``I`` for an image
    :param key: the relay's identifier
    """
    return f"BAC-A-SABLE-{kind}-{hashlib.sha256(key.encode()).hexdigest()[:8].upper()}"


def answer(kind: str, row: sqlite3.Row) -> dict[str, Any]:
    """What the contract answers about a row.

    :param kind: table's name
    """
    found = {name: row[name] for name in ("id", "version", "status")}
    if kind != "memberships":
        found["reference"] = row["reference"]
    if kind == "applications":
        found.update({name: row[name] for name in DECIDED})
    if kind == "questions":
        found["answers"] = json.loads(row["answers"])
    if kind == "requests":
        found["statuses"] = json.loads(row["statuses"])
    return found


def next_status(present: str | None, state: str) -> str:
    """Status of a file that arrives in a newer version.

    Withdrawn by its relay; received again once deferred, or once refused or withdrawn and then submitted anew; else
    the decision stays.

    :param present: status held, None for a new file
    :param state: state of the file at the relay
    """
    if state == "withdrawn":
        return "withdrawn"
    again = present in ("refused", "withdrawn") and state == "submitted"
    return "received" if again or present in (None, "deferred") else str(present)


def _read(db: sqlite3.Connection, kind: str, key: str) -> sqlite3.Row | None:
    return db.execute(f"SELECT * FROM {kind} WHERE id = ?", (key,)).fetchone()  # noqa: S608


def _put_application(db: sqlite3.Connection, key: str, body: dict[str, Any], held: sqlite3.Row | None) -> None:
    status = next_status(held["status"] if held else None, body["state"])
    text, at = json.dumps(body), now()
    if held is None:
        db.execute(
            "INSERT INTO applications (id, version, body, status, reference, received_at) VALUES (?, ?, ?, ?, ?, ?)",
            (key, body["version"], text, status, reference("D", key), at),
        )
    else:
        db.execute("UPDATE applications SET version = ?, body = ?, status = ? WHERE id = ?",
                   (body["version"], text, status, key))  # fmt: skip
        if status == "received" and held["status"] != "received":
            db.execute("UPDATE applications SET decided_at = NULL, decided_by = NULL, reason = NULL, received_at = ?"
                       " WHERE id = ?", (at, key))  # fmt: skip
    what = {"received": "Version {} reçue.", "withdrawn": "Version {} : le relais retire le dossier."}
    line = what.get(status, "Version {} reçue ; la décision reste.").format(body["version"])
    db.execute("INSERT INTO events (application_id, at, what) VALUES (?, ?, ?)", (key, at, line))


def _put_membership(db: sqlite3.Connection, key: str, body: dict[str, Any], _held: sqlite3.Row | None) -> None:
    db.execute("INSERT OR REPLACE INTO memberships (id, version, body, status, received_at) VALUES (?, ?, ?, ?, ?)",
               (key, body["version"], json.dumps(body), body["state"], now()))  # fmt: skip


def _put_account(db: sqlite3.Connection, key: str, body: dict[str, Any], _held: sqlite3.Row | None) -> None:
    status = ACCOUNT_STATUS.get(body["state"], "closed")
    values = (key, body["version"], json.dumps(body), status, reference("C", key), now())
    db.execute("INSERT OR REPLACE INTO accounts (id, version, body, status, reference, received_at)"
               " VALUES (?, ?, ?, ?, ?, ?)", values)  # fmt: skip


def question_status(body: dict[str, Any], answers: list[dict[str, Any]]) -> str:
    """Status of a question: received while the relay awaits an answer and has taken all that were given.

    :param body: as the contract takes it
    :param answers: those given so far, the oldest first
    """
    if body["state"] == "closed":
        return "closed"
    taken = sum(message["side"] == "dinamis" for message in body["messages"])
    return "received" if body["state"] == "escalated" and taken >= len(answers) else "answered"


def _put_question(db: sqlite3.Connection, key: str, body: dict[str, Any], held: sqlite3.Row | None) -> None:
    answers = held["answers"] if held else "[]"
    if held and body["messages"] and not any(message["text"] for message in body["messages"]):
        # Erased for the person's sake: what was answered may name them.
        answers = json.dumps([{**one, "text": "Effacé."} for one in json.loads(answers)])
    status = question_status(body, json.loads(answers))
    at = held["received_at"] if held and held["status"] == status else now()
    values = (key, body["version"], json.dumps(body), status, reference("Q", key), at, answers)
    db.execute("INSERT OR REPLACE INTO questions (id, version, body, status, reference, received_at, answers)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # fmt: skip


def _put_request(db: sqlite3.Connection, key: str, body: dict[str, Any], held: sqlite3.Row | None) -> None:
    statuses = json.loads(held["statuses"]) if held else [requests.status("accepted")]
    if body["state"] == "user_cancelled" and statuses[-1]["code"] in requests.NEXT:
        statuses.append(requests.status("user_cancelled"))
    if body["area"] is None:
        # Erased for the person's sake: a reason may name them.
        statuses = [{**one, "reason": "Effacé." if one["reason"] else None} for one in statuses]
    values = (key, body["version"], json.dumps(body), statuses[-1]["code"], reference("I", key),
              held["received_at"] if held else now(), json.dumps(statuses))  # fmt: skip
    db.execute("INSERT OR REPLACE INTO requests (id, version, body, status, reference, received_at, statuses)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # fmt: skip


WRITERS = {"applications": _put_application, "memberships": _put_membership, "accounts": _put_account,
           "questions": _put_question, "requests": _put_request}  # fmt: skip


def _error(status: int, field: str | None, problem: str, remedy: str) -> Response:
    found = jsonify(error={"field": field, "problem": problem, "remedy": remedy})
    found.status_code = status
    return found


def _body(kind: str) -> dict[str, Any]:
    """The request's body, held against the contract.

    :raises contract.FaultError: what is wrong
    """
    if not request.headers.get("Idempotency-Key", "").strip():
        raise contract.FaultError("Idempotency-Key", "en-tête absent", "Envoyez une clé par état.")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise contract.FaultError("body", "pas un objet JSON", "Envoyez un corps application/json.")
    contract.check(SCHEMAS[kind], body)
    if "documents" in body:
        contract.check_documents(body["documents"])
    return body


def blueprint(state: State, token: str) -> Blueprint:
    """The contract under ``/v1``, and its text as ``/openapi.json``.

    :param token: bearer token that the relay must show
    """
    parts = Blueprint("gateway", __name__)

    @parts.before_request
    def authenticate() -> Response | None:
        expected, shown = f"Bearer {token}", request.headers.get("Authorization", "")
        if request.endpoint == "gateway.openapi" or hmac.compare_digest(expected.encode(), shown.encode()):
            return None
        refused = _error(401, "Authorization", "jeton absent ou refusé", "Envoyez le jeton du relais.")
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused

    @parts.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(contract.document())

    @parts.put("/v1/<any(applications, memberships, accounts, questions, requests):kind>/<key>")
    def put(kind: str, key: str) -> Response:
        try:
            body = _body(kind)
        except contract.FaultError as fault:
            return _error(422, fault.field, str(fault), fault.remedy)
        with state.write() as db:
            held = _read(db, kind, key)
            if held is None or held["version"] < body["version"]:
                WRITERS[kind](db, key, body, held)
            row = _read(db, kind, key)
        assert row is not None  # noqa: S101  # written above in the same transaction
        return jsonify(answer(kind, row))

    @parts.get("/v1/<any(applications, memberships, accounts, questions, requests):kind>/<key>")
    def get(kind: str, key: str) -> Response:
        with state.read() as db:
            row = _read(db, kind, key)
        if row is None:
            return _error(404, "id", "inconnu", "Remettez-le d'abord par PUT.")
        return jsonify(answer(kind, row))

    return parts
