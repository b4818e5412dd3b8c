"""Questions, the messages of their threads, and the files that came with them."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, Deliverable, column, moment, new_id, text, utcnow


class Question(Base, Deliverable):
    """One question of one person; delivered to DINAMIS once it was escalated.

    ``user_id`` is empty once the person's data were erased. ``state_since`` tells since when a side is waited for.
    """

    __tablename__ = "dinamis_question"

    id = text(primary_key=True, default=new_id)
    state = text(nullable=False, default="open", index=True)
    state_since = moment(nullable=False, default=utcnow)
    user_id = text(index=True)
    organization_id = text(index=True)
    title = text(nullable=False)
    about_kind = text()
    about_id = text()
    about_title = text()
    about_path = text()
    escalated_at = moment()
    reference = text()
    created_at = moment(nullable=False, default=utcnow)
    updated_at = moment(nullable=False, default=utcnow)
    erased_at = moment()


class QuestionMessage(Base):
    """One message of a thread. ``outside_id`` is DINAMIS's own name of its answer: none is taken twice."""

    __tablename__ = "dinamis_question_message"
    __table_args__ = (sa.UniqueConstraint("question_id", "outside_id", name="uq_dinamis_question_message_outside"),)

    id = text(primary_key=True, default=new_id)
    question_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_question.id"), nullable=False, index=True)
    position = column(sa.Integer, nullable=False)
    side = text(nullable=False)
    author_id = text()
    outside_id = text()
    body = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)


class QuestionFile(Base):
    """A file of a message: its bytes as they came, never opened by us."""

    __tablename__ = "dinamis_question_file"

    id = text(primary_key=True, default=new_id)
    question_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_question.id"), nullable=False, index=True)
    message_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_question_message.id"), nullable=False, index=True)
    name = text(nullable=False)
    media_type = text(nullable=False)
    sha256 = text(nullable=False)
    size = column(sa.Integer, nullable=False)
    content = column(sa.LargeBinary, nullable=False)
    created_at = moment(nullable=False, default=utcnow)
