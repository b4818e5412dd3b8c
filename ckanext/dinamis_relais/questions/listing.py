"""Questions as they are shown: with whose turn it is, since when, and what their reader may do now."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
import sqlalchemy.orm
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import can, names_of, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.machine import Transition
from ckanext.dinamis_relais.questions import about
from ckanext.dinamis_relais.questions.model import Question, QuestionFile, QuestionMessage
from ckanext.dinamis_relais.questions.rules import MACHINE, WAITING, late, waiting_days
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

_PLAIN = ("id", "state", "organization_id", "title", "reference")
#: Whose turn it is, as PIGMA's queue sorts: its own first.
_ORDER = ("open", "escalated", "answered", "closed")
_MOMENTS = ("state_since", "created_at", "updated_at", "escalated_at", "erased_at")


def may(question: Question, row: Transition, user: model.User | None) -> bool:
    """Whether a person may take a question through a row of the machine.

    Who asked writes and closes; PIGMA answers, escalates, and may close what nobody comes back to.
    """
    own = user is not None and question.user_id == user.id
    answers = can(user, "question.answer")
    if row.name == "write":
        return own
    if row.name == "close":
        return own or answers
    return answers and (row.name != "answer" or not own)


class Known:
    """What the dictionaries of some questions need besides their rows, read once for all of them.

    :param rows: the questions
    :param user: who looks
    """

    def __init__(self, rows: Sequence[Question], user: model.User | None):
        self.user, self.pigma = user, can(user, "question.read")
        self.names = names_of(row.user_id for row in rows if row.user_id)
        groups = {row.organization_id for row in rows if row.organization_id}
        titled = sa.select(model.Group.id, model.Group.title).where(model.Group.id.in_(groups))
        self.groups = dict(tuple(one) for one in session().execute(titled)) if groups else {}
        ids = [row.id for row in rows]
        counted = sa.select(QuestionMessage.question_id, sa.func.count()).where(QuestionMessage.question_id.in_(ids))
        counts = session().execute(counted.group_by(QuestionMessage.question_id)) if ids else []
        self.counts = dict(tuple(one) for one in counts)


def _about(row: Question) -> dict[str, Any] | None:
    if not row.about_kind:
        return None
    return {"kind": row.about_kind, "id": row.about_id, "title": row.about_title, "url": about.link(row.about_path)}


def dictize(row: Question, known: Known) -> dict[str, Any]:
    """A question, without its thread."""
    now = utcnow()
    return {
        **{key: getattr(row, key) for key in _PLAIN},
        **{key: isoformat(getattr(row, key)) for key in _MOMENTS},
        "organization_title": known.groups.get(row.organization_id),
        "asker": known.names.get(row.user_id) if row.user_id else None,
        "mine": known.user is not None and row.user_id == known.user.id,
        "about": _about(row),
        "messages_count": known.counts.get(row.id, 0),
        "waiting_side": WAITING.get(row.state),
        "waiting_days": waiting_days(row.state, row.state_since, now),
        "late": late(row.state, row.state_since, now, config.question_late_days()),
        "delivered": row.version > 0 and row.version == row.delivered_version,
        "delivery_error": row.last_error if known.pigma else None,
        "transitions": [one.name for one in MACHINE.allowed(row.state) if may(row, one, known.user)],
        "url": f"{config.site_url()}/dinamis/questions/{row.id}",
    }


def files_of(question_id: str) -> list[QuestionFile]:
    """A thread's files in the order in which they came, without their bytes."""
    query = sa.select(QuestionFile).where(QuestionFile.question_id == question_id)
    query = query.options(sqlalchemy.orm.defer(QuestionFile.content)).order_by(QuestionFile.created_at, QuestionFile.id)
    return list(session().execute(query).scalars())


def messages_of(question_id: str) -> list[QuestionMessage]:
    """A thread's messages, the oldest first."""
    query = sa.select(QuestionMessage).where(QuestionMessage.question_id == question_id)
    return list(session().execute(query.order_by(QuestionMessage.position)).scalars())


def file_dict(row: QuestionFile) -> dict[str, Any]:
    """A file, without its bytes; they are at its ``url``."""
    url = f"{config.site_url()}/dinamis/questions/{row.question_id}/files/{row.id}"
    plain = {key: getattr(row, key) for key in ("id", "question_id", "name", "media_type", "size", "sha256")}
    return {**plain, "created_at": isoformat(row.created_at), "url": url}


def _thread(row: Question, known: Known) -> list[dict[str, Any]]:
    messages, files = messages_of(row.id), files_of(row.id)
    names = names_of(message.author_id for message in messages if message.author_id)
    return [
        {
            "id": message.id,
            "position": message.position,
            "side": message.side,
            # Who at PIGMA answered is PIGMA's own affair; to the person it is PIGMA.
            "author": names.get(message.author_id) if message.side == "person" or known.pigma else None,
            "text": message.body,
            "created_at": isoformat(message.created_at),
            "files": [file_dict(file) for file in files if file.message_id == message.id],
        }
        for message in messages
    ]


def whole(row: Question, user: model.User | None) -> dict[str, Any]:
    """A question with its thread."""
    known = Known([row], user)
    thread = _thread(row, known)
    return {**dictize(row, known), "messages": thread, "last_position": thread[-1]["position"] if thread else 0}


def _selected(params: dict[str, Any], user: model.User | None, everybody: bool) -> Any:
    query = sa.select(Question)
    if not everybody:
        query = query.where(Question.user_id == (user.id if user else ""))
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(Question.organization_id == (group.id if group else ""))
    if params.get("q"):
        sought = "%" + re.sub(r"([\\%_])", r"\\\1", params["q"].strip()) + "%"
        said = sa.select(QuestionMessage.id).where(
            QuestionMessage.question_id == Question.id, QuestionMessage.body.ilike(sought)
        )
        who = sa.select(model.User.id).where(
            model.User.id == Question.user_id,
            sa.or_(model.User.fullname.ilike(sought), model.User.name.ilike(sought)),
        )
        query = query.where(
            sa.or_(
                Question.title.ilike(sought), Question.about_title.ilike(sought), Question.reference.ilike(sought),
                said.exists(), who.exists(),
            )
        )  # fmt: skip
    return query


def _late_clause() -> Any:
    days = config.question_late_days()
    if days <= 0:
        return sa.false()
    return sa.and_(Question.state == "open", Question.state_since < utcnow() - dt.timedelta(days=days))


@tk.side_effect_free
def dinamis_question_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One question with its thread (``messages``), whose turn it is, and what may be done now (``transitions``).

    :param id: the question; only who asked and PIGMA read it
    """
    tk.check_access("dinamis_question_show", context, data_dict)
    row = session().get(Question, str(tk.get_or_bust(data_dict, "id")))
    if row is None:
        raise tk.ObjectNotFound(tk._("This question does not exist."))
    return whole(row, user_of(context))


@tk.side_effect_free
def dinamis_question_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Questions: for PIGMA everybody's, those that wait for it first and the oldest of them first; else one's own.

    :param mine: True for one's own only, the last moved first; always so for who is not PIGMA
    :param state: one state, or several separated by commas
    :param late: only those that PIGMA has let wait for longer than ``question_late_days``
    :param q: part of the title, of a message, of what it is about or of the person's name
    :returns: ``{"count", "results", "states", "late"}``; ``states`` and ``late`` count the same search
    """
    tk.check_access("dinamis_question_list", context, data_dict)
    boolean = [validator("ignore_missing"), validator("boolean_validator")]
    params = validated(data_dict, {**list_schema(), "mine": boolean, "late": boolean}, context)
    user = user_of(context)
    everybody = can(user, "question.read") and not params.get("mine")
    query = _selected(params, user, everybody)
    by_state = query.with_only_columns(Question.state, sa.func.count()).group_by(Question.state)
    states = dict(tuple(one) for one in session().execute(by_state))
    overdue = session().execute(query.where(_late_clause()).with_only_columns(sa.func.count())).scalar()
    if params.get("state"):
        query = query.where(Question.state.in_(params["state"].split(",")))
    if params.get("late"):
        query = query.where(_late_clause())
    turn = sa.case(*((Question.state == state, number) for number, state in enumerate(_ORDER)), else_=len(_ORDER))
    order = [turn, Question.state_since, Question.id] if everybody else [Question.updated_at.desc(), Question.id]
    found = listed(query, params, order, lambda row: row)
    known = Known(found["results"], user)
    return {
        "count": found["count"],
        "results": [dictize(row, known) for row in found["results"]],
        "states": {state: states[state] for state in MACHINE.states if state in states},
        "late": overdue,
    }


@tk.side_effect_free
def dinamis_question_file_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A file of a thread, for who may read the thread; its bytes are at ``url``.

    :param id: the file
    """
    tk.check_access("dinamis_question_file_show", context, data_dict)
    row = session().get(QuestionFile, str(tk.get_or_bust(data_dict, "id")))
    if row is None:
        raise tk.ObjectNotFound(tk._("This file does not exist."))
    return file_dict(row)
