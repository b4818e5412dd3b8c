"""What each step of a question does, in order: all in the caller's transaction, no network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import Transition
from ckanext.dinamis_relais.questions import letters
from ckanext.dinamis_relais.questions.files import Checked
from ckanext.dinamis_relais.questions.model import Question, QuestionFile, QuestionMessage
from ckanext.dinamis_relais.questions.rules import MACHINE


def last_position(question_id: str) -> int:
    """Number of the thread's last message; 0 when there is none."""
    query = sa.select(sa.func.max(QuestionMessage.position)).where(QuestionMessage.question_id == question_id)
    return session().execute(query).scalar() or 0


def kept_bytes(question_id: str) -> int:
    """Bytes of all files of a thread."""
    query = sa.select(sa.func.sum(QuestionFile.size)).where(QuestionFile.question_id == question_id)
    return int(session().execute(query).scalar() or 0)


def add(
    question: Question,
    side: str,
    author_id: str | None,
    text: str,
    files: Sequence[Checked] = (),
    outside_id: str | None = None,
) -> QuestionMessage:
    """Append a message to the thread of a question (its row locked, or new), with its files.

    :param side: one of ``rules.SIDES``
    :param outside_id: DINAMIS's own name of its answer
    """
    message = QuestionMessage(
        question_id=question.id,
        position=last_position(question.id) + 1,
        side=side,
        author_id=author_id,
        body=text,
        outside_id=outside_id,
    )
    session().add(message)
    session().flush()
    for file in files:
        session().add(
            QuestionFile(
                question_id=question.id,
                message_id=message.id,
                name=file.name,
                media_type=file.media_type,
                sha256=hashlib.sha256(file.content).hexdigest(),
                size=len(file.content),
                content=file.content,
            )
        )
    question.updated_at = utcnow()
    session().flush()
    return message


def _is_owed(question: Question, row: Transition, actor: str) -> bool:
    """Whether DINAMIS has to know: it is asked, or what it was asked has changed or needs no answer any more."""
    if actor == "dinamis":
        return False
    return row.name == "escalate" or row.source == "escalated" or (row.name == "close" and question.version > 0)


def apply(
    question: Question, name: str, actor: str, message: QuestionMessage | None = None, files: int = 0
) -> Transition:
    """Take a question (its row locked) through one transition, with all that follows.

    :param name: a transition of ``rules.MACHINE``
    :param actor: as in ``journal.record``
    :param message: the one that was added to the thread, if any
    :param files: how many files came with it
    :raises machine.TransitionError: not possible from the present state
    """
    row = MACHINE.row(question.state, name)
    if row.target != row.source:
        question.state, question.state_since = row.target, utcnow()
    question.updated_at = utcnow()
    if name == "escalate":
        question.escalated_at = utcnow()
    if _is_owed(question, row, actor):
        question.owe()
    session().flush()
    # Who closes their own question needs no message about it.
    if row.mail and not (name == "close" and actor == question.user_id):
        letters.send(row.mail, question, message, files)
    record(Event(row.event), actor, "question", question.id, question.organization_id,
           state_from=row.source, state_to=row.target, message_id=message.id if message else None,
           files=files)  # fmt: skip
    return row


def begin(question: Question, text: str, files: Sequence[Checked]) -> None:
    """Put a new question with its first message into the present transaction."""
    session().add(question)
    session().flush()
    message = add(question, "person", question.user_id, text, files)
    letters.send("question_message", question, message, len(files))
    record(Event.QUESTION_ASKED, question.user_id, "question", question.id, question.organization_id,
           about=question.about_kind, message_id=message.id, files=len(files))  # fmt: skip


def answered_outside(question: Question, outside_id: str, text: str) -> bool:
    """Take one of DINAMIS's answers into the thread (its question's row locked), once.

    :returns: False when it is there already, or when the person's data were erased
    """
    same = sa.select(QuestionMessage.id).where(
        QuestionMessage.question_id == question.id, QuestionMessage.outside_id == outside_id
    )
    if question.erased_at is not None or session().execute(same).first():
        return False
    message = add(question, "dinamis", None, text, outside_id=outside_id)
    if any(row.name == "answer" for row in MACHINE.allowed(question.state)):
        apply(question, "answer", "dinamis", message)
    else:  # closed meanwhile: the answer is kept and sent, nothing waits again
        letters.send("question_answered", question, message)
        record(Event.QUESTION_ANSWERED, "dinamis", "question", question.id, question.organization_id,
               state_from=question.state, state_to=question.state, message_id=message.id)  # fmt: skip
    return True
