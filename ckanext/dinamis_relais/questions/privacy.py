"""A person's questions among their data: given, and erased with their threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais import journal
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import mailer, sendings
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.questions.listing import file_dict, files_of, messages_of
from ckanext.dinamis_relais.questions.model import Question, QuestionFile, QuestionMessage


def _of(user_ids: Iterable[str], *, lock: bool = False) -> list[Question]:
    query = sa.select(Question).where(Question.user_id.in_(set(user_ids))).order_by(Question.created_at, Question.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session().execute(query).scalars())


def _exported(row: Question) -> dict[str, Any]:
    files = files_of(row.id)
    return {
        "id": row.id,
        "title": row.title,
        "state": row.state,
        "asked_at": isoformat(row.created_at),
        "about": row.about_title,
        "messages": [
            {
                "at": isoformat(message.created_at),
                "side": message.side,
                "text": message.body,
                "files": [file_dict(file) for file in files if file.message_id == message.id],
            }
            for message in messages_of(row.id)
        ],
    }


def export(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The questions of some logins, each with its thread; files by their names and addresses."""
    return [_exported(row) for row in _of(user_ids)]


def erase_of(user_id: str, actor: str) -> int:
    """Erase a login's questions; the caller commits.

    Every text of the threads goes, the answers too: they may name the person. What stays: states, dates, the
    organisation and what the questions were about, for the figures. DINAMIS is sent the emptied thread.

    :returns: how many
    """
    rows = _of([user_id], lock=True)
    for row in rows:
        _erase(row)
        record(Event.QUESTION_ERASED, actor, "question", row.id, row.organization_id)
    return len(rows)


def _erase(row: Question) -> None:
    db = session()
    quietly: Any = {"synchronize_session": False}
    db.execute(sa.delete(QuestionFile).where(QuestionFile.question_id == row.id).execution_options(**quietly))
    emptied = sa.update(QuestionMessage).where(QuestionMessage.question_id == row.id)
    db.execute(emptied.values(body="").execution_options(**quietly))
    own = emptied.where(QuestionMessage.side == "person")
    db.execute(own.values(author_id=None).execution_options(**quietly))
    mailer.wipe("question", row.id)
    journal.erase_private("question", row.id)
    sendings.forget("question", row.id)
    if row.about_kind == "page":  # its title came with the address, from who asked
        row.about_title = row.about_path
    if row.state != "closed":
        row.state, row.state_since = "closed", utcnow()
    row.title, row.user_id, row.erased_at, row.updated_at = "", None, utcnow(), utcnow()
    if row.version:
        row.owe()
    db.flush()
