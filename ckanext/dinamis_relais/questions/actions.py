"""The room's part of the action API: ask, write, escalate, close."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config, db, throttle
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import OPEN
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.questions import about, schema, threads
from ckanext.dinamis_relais.questions.files import Checked
from ckanext.dinamis_relais.questions.listing import (
    dinamis_question_file_show,
    dinamis_question_list,
    dinamis_question_show,
    may,
    whole,
)
from ckanext.dinamis_relais.questions.model import Question
from ckanext.dinamis_relais.questions.rules import BY_REPLY, MACHINE
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit

__all__ = [
    "dinamis_question_create",
    "dinamis_question_file_show",
    "dinamis_question_list",
    "dinamis_question_reply",
    "dinamis_question_show",
    "dinamis_question_transition",
]


def _person(context: Context) -> model.User:
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to ask a question."))
    return user


def _not_too_often(user: model.User) -> None:
    if not throttle.allowed("question", user.id, config.questions_per_person()):
        text = tk._("You have written {number} messages within an hour. Wait a little, then send this one again.")
        raise tk.ValidationError({"text": [text.format(number=config.questions_per_person())]})


def _organization_of(user: model.User) -> str | None:
    """The organisation for which a person has an account that runs; the oldest when there are several."""
    query = sa.select(Account.organization_id).where(Account.user_id == user.id, Account.state.in_(OPEN))
    return session().execute(query.order_by(Account.created_at).limit(1)).scalar()


def _not_too_much(question_id: str, files: list[Checked]) -> None:
    limit = config.question_thread_mb()
    if files and threads.kept_bytes(question_id) + sum(len(f.content) for f in files) > limit * schema.MEGABYTE:
        text = tk._("The files of one question weigh at most {limit} MB in all. Send smaller ones.")
        raise GuardError("files", text.format(limit=limit))


def _nothing_new(question: Question, seen: int | None) -> None:
    if seen is not None and seen != threads.last_position(question.id):
        text = tk._("Somebody has written in this conversation meanwhile. Read it below, then send yours if it helps.")
        raise GuardError("seen", text)


def dinamis_question_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Ask PIGMA a question; its super-référents are told by mail.

    :param title: a few words
    :param text: the question, plain text
    :param files: ``[{"name", "content"}]``, content in base64; optional
    :param about: address of the page of this site that it is about, optional
    :param about_title: what that page is called, for a page that no dataset, scene or guide stands behind
    :raises toolkit.ValidationError: by field, each problem with its remedy
    """
    tk.check_access("dinamis_question_create", context, data_dict)
    data = validated(schema.given(data_dict), schema.question(), context)
    user = _person(context)
    thing = None
    if data.get("about"):
        thing = about.resolve(data["about"], user.name, data.get("about_title", ""))
        if thing is None:
            text = tk._("A question is about a page of this site that you may read. Leave this out, or ask from there.")
            raise tk.ValidationError({"about": [text]})
    _not_too_often(user)
    question = Question(
        user_id=user.id,
        organization_id=_organization_of(user),
        title=data["title"],
        about_kind=thing.kind if thing else None,
        about_id=thing.id if thing else None,
        about_title=thing.title if thing else None,
        about_path=thing.path if thing else None,
    )
    with one_commit():
        _not_too_much("", data["files"])
        threads.begin(question, data["text"], data["files"])
    return whole(question, user)


def _locked(id_: str) -> Question:
    return db.locked(Question, id_, tk._("This question does not exist."))


def dinamis_question_reply(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Write in a thread: who asked writes more (a closed question is open again), PIGMA answers.

    :param id: the question
    :param text: plain text
    :param files: as in ``dinamis_question_create``
    :param seen: ``last_position`` of the thread as it was read, optional: when somebody wrote since, nothing is done
    :raises toolkit.ValidationError: by field; or names the present state and what is allowed
    """
    tk.check_access("dinamis_question_reply", context, data_dict)
    data = validated(schema.given(data_dict), schema.reply(), context)
    user = _person(context)
    question = _locked(data["id"])
    own = question.user_id == user.id
    with one_commit():
        _nothing_new(question, data.get("seen"))
        name = "write" if own else "answer"
        if not may(question, MACHINE.row(question.state, name), user):
            raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb="question.answer"))
        _not_too_much(question.id, data["files"])
        if own:
            _not_too_often(user)
        side = "person" if own else "pigma"
        message = threads.add(question, side, user.id, data["text"], data["files"])
        threads.apply(question, name, user.id, message, len(data["files"]))
    return whole(question, user)


def dinamis_question_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Ask DINAMIS (``escalate``, with the whole thread), or ``close`` a question.

    :param id: the question
    :param transition: ``escalate`` or ``close``; to write or to answer is ``dinamis_question_reply``
    :param seen: as in ``dinamis_question_reply``
    :raises toolkit.ValidationError: names the present state and what is allowed
    """
    tk.check_access("dinamis_question_transition", context, data_dict)
    data = validated(data_dict, schema.step(), context)
    user = _person(context)
    name = data["transition"]
    question = _locked(data["id"])
    with one_commit():
        if name in BY_REPLY:
            raise GuardError("transition", tk._("This needs a message: use dinamis_question_reply."))
        row = MACHINE.row(question.state, name)
        if not may(question, row, user):
            raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=row.verb))
        _nothing_new(question, data.get("seen"))
        threads.apply(question, name, user.id)
    return whole(question, user)
