"""Questions of Bègles's people, by the real actions."""

from __future__ import annotations

import base64
from typing import Any

from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.questions.model import Question

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


def file(name: str, content: bytes = PNG) -> dict[str, str]:
    """A file as the action API takes it."""
    return {"name": name, "content": base64.b64encode(content).decode("ascii")}


def ask(people: Any, by: str = "member", **more: Any) -> dict[str, Any]:
    """A question, asked by somebody."""
    data = {"title": "Date de l'image", "text": "De quand date cette image ?", **more}
    return call_action("dinamis_question_create", people.context(by), **data)


def write(people: Any, question: dict[str, Any], by: str, text: str = "Voici.", **more: Any) -> dict[str, Any]:
    """A further message, by somebody."""
    return call_action("dinamis_question_reply", people.context(by), id=question["id"], text=text, **more)


def step(people: Any, question: dict[str, Any], transition: str, by: str = "super_referent", **more: Any) -> dict:
    """A question, taken through a transition without a message."""
    data = {"id": question["id"], "transition": transition, **more}
    return call_action("dinamis_question_transition", people.context(by), **data)


def row_of(question: dict[str, Any]) -> Question:
    """The row as the database holds it now."""
    model.Session.rollback()
    return model.Session.get(Question, question["id"], populate_existing=True)


def put(question: dict[str, Any], state: str) -> None:
    """A question in a state, whatever led there."""
    row = row_of(question)
    row.state = state
    model.Session.commit()
