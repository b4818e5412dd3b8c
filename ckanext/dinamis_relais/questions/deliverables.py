"""What of questions leaves for DINAMIS: the whole thread once it is escalated; its answers come back by asking."""

from __future__ import annotations

import base64
import datetime as dt
import logging
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import Group, Said, Target, api
from ckanext.dinamis_relais.questions import about, threads
from ckanext.dinamis_relais.questions.listing import messages_of
from ckanext.dinamis_relais.questions.model import Question, QuestionFile
from ckanext.dinamis_relais.questions.rules import LONGEST, clean
from ckanext.dinamis_relais.tables import Column

__all__ = ["question"]

log = logging.getLogger(__name__)

#: Sides as the contract names them.
_SIDES = {"person": "person", "pigma": "relay", "dinamis": "dinamis"}


def _document(row: QuestionFile) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": "question_file",
        "title": row.name,
        "version": None,
        "media_type": row.media_type,
        "sha256": row.sha256,
        "size": row.size,
        "content": base64.b64encode(row.content).decode("ascii"),
    }


def _prepare(row: Question) -> dict[str, Any]:
    """The thread as it stands; who asked is not named, what they wrote is."""
    query = sa.select(QuestionFile).where(QuestionFile.question_id == row.id)
    files = list(session().execute(query.order_by(QuestionFile.created_at, QuestionFile.id)).scalars())
    organization = model.Group.get(row.organization_id) if row.organization_id else None
    thing = {"kind": row.about_kind, "title": row.about_title, "url": about.address(row.about_path)}
    return {
        "version": row.version,
        "relay": config.relay_name(),
        "state": row.state,
        "title": row.title,
        "about": thing if row.about_kind else None,
        "organization": {"id": organization.id, "title": organization.title} if organization else None,
        "asked_at": isoformat(row.created_at),
        "escalated_at": isoformat(row.escalated_at),
        "messages": [
            {
                "id": message.id,
                "at": isoformat(message.created_at),
                "side": _SIDES[message.side],
                "text": message.body,
                "documents": [file.id for file in files if file.message_id == message.id],
            }
            for message in messages_of(row.id)
        ],
        "documents": [_document(file) for file in files],
    }


def _answers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """DINAMIS's answers as (its id, text); what is no answer is left out."""
    found = []
    for one in answer.get("answers") or ():
        id_, text = (one.get("id"), one.get("text")) if isinstance(one, dict) else (None, None)
        kept = clean(text, lines=True)[: LONGEST["text"]] if isinstance(text, str) else ""
        if isinstance(id_, str) and 0 < len(id_) <= 200 and kept:
            found.append((id_, kept))
        else:
            log.error("An answer of DINAMIS to a question is not as the contract says: left out.")
    return found


def _apply(row: Question, answer: dict[str, Any]) -> None:
    """Take what DINAMIS answered into the thread; while it has not, ask again."""
    row.reference = answer.get("reference") or row.reference
    for id_, text in _answers(answer):
        threads.answered_outside(row, id_, text)
    if row.state == "escalated":
        row.next_poll_at = utcnow() + dt.timedelta(seconds=config.gateway_poll_seconds())


#: Words of a grouped mail's table and threads: French, as DINAMIS reads them.
_STATES = {"open": "chez le relais", "escalated": "réponse attendue", "answered": "répondue", "closed": "close"}
_WRITERS = {"person": "La personne", "relay": "Le relais", "dinamis": "DINAMIS"}


def _cells(row: Question, body: dict[str, Any]) -> list[Any]:
    papers = body["documents"]
    return [_STATES[body["state"]], body["title"], (body["organization"] or {}).get("title"), body["asked_at"],
            body["escalated_at"], (body["about"] or {}).get("url"), len(body["messages"]),
            sum(one["file"] is not None for one in papers), sum(one["file"] is None for one in papers),
            row.id]  # fmt: skip


def _thread(body: dict[str, Any]) -> bytes:
    """A question's whole exchange, to be read without any tool."""
    names = {one["id"]: one["file"] or f"{one['title']} (non joint : trop lourd)" for one in body["documents"]}
    lines = [body["title"], ""]
    for message in body["messages"]:
        lines += [f"--- {_WRITERS[message['side']]}, {message['at']}", message["text"]]
        lines += [f"[fichier] {names[id_]}" for id_ in message["documents"]] + [""]
    return "\n".join(lines).encode()


def _threads(bodies: dict[int, dict[str, Any]]) -> dict[str, bytes]:
    return {f"echanges/{number:03d}.txt": _thread(body) for number, body in bodies.items()}


def _settle(row: Question, said: Said) -> None:
    """What DINAMIS answers, or why it does not, goes into the thread and to the person; a bare receipt does not."""
    row.reference = said.reference or row.reference
    if said.words:
        threads.answered_outside(row, said.key, clean(said.words, lines=True)[: LONGEST["text"]])


_GROUP = Group(
    stem="questions",
    mail="sending_question",
    columns=(Column("État"), Column("Titre"), Column("Organisation"), Column("Posée le", "moment"),
             Column("Transmise le", "moment"), Column("Page concernée"), Column("Messages", "integer"),
             Column("Fichiers joints", "integer"), Column("Fichiers trop lourds", "integer"), Column("Identifiant")),
    cells=_cells,
    settle=_settle,
    title=lambda row: row.title,
    page="dinamis_questions.read",
    extras=_threads,
    awaits=lambda row: row.state == "escalated",
)  # fmt: skip

question = Target("question", Question, _prepare, api.send, _apply, api.enabled, _GROUP)
