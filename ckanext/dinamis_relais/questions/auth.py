"""Who asks, who reads a thread, who answers."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context, DataDict

from ckanext.dinamis_relais.authority import guard, user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.questions.model import Question, QuestionFile

__all__ = [
    "dinamis_question_create",
    "dinamis_question_file_show",
    "dinamis_question_list",
    "dinamis_question_reply",
    "dinamis_question_show",
    "dinamis_question_transition",
]


def _own_or(verb: str, question_id: Any) -> Any:
    """An auth function: who asked, and the holders of a verb.

    :param question_id: ``data_dict -> id of the question, or None``
    """
    others = guard(verb)

    def check(context: Context, data_dict: DataDict) -> AuthResult:
        user, id_ = user_of(context), question_id(data_dict or {})
        row = session().get(Question, id_) if id_ and user is not None and user.state == "active" else None
        if row is not None and user is not None and row.user_id == user.id:
            return {"success": True}
        return others(context, data_dict)

    check.verb = verb  # type: ignore[attr-defined]  # read by the documentation and by the walk of rights
    return tk.auth_sysadmins_check(check)


def _id(data_dict: dict[str, Any]) -> str | None:
    return str(data_dict["id"]) if data_dict.get("id") else None


def _of_file(data_dict: dict[str, Any]) -> str | None:
    row = session().get(QuestionFile, str(data_dict["id"])) if data_dict.get("id") else None
    return row.question_id if row else None


dinamis_question_create = guard("question.ask")
# Without the right to read everybody's, the list holds one's own only.
dinamis_question_list = guard("question.ask")
dinamis_question_show = _own_or("question.read", _id)
dinamis_question_file_show = _own_or("question.read", _of_file)
# Which step a person may take is the machine's to say; the actions ask it.
dinamis_question_reply = _own_or("question.answer", _id)
dinamis_question_transition = _own_or("question.answer", _id)
