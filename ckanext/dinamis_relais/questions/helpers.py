"""Template helpers of questions: a text as a page shows it, whose turn it is in words."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from markupsafe import Markup, escape

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.gateway import api
from ckanext.dinamis_relais.questions.files import NAMES
from ckanext.dinamis_relais.questions.rules import paragraphs

__all__ = [
    "dinamis_question_delivers",
    "dinamis_question_files_hint",
    "dinamis_question_side",
    "dinamis_question_text",
    "dinamis_question_turn",
]


def dinamis_question_text(text: str) -> Markup:
    """A plain text as paragraphs, its web addresses as links; nothing that somebody typed is markup."""
    shown = []
    for lines in paragraphs(text):
        drawn = [
            "".join(
                f'<a href="{escape(part)}" rel="nofollow noopener ugc">{escape(part)}</a>'
                if kind == "link"
                else str(escape(part))
                for kind, part in line
            )
            for line in lines
        ]
        shown.append(f"<p>{'<br>'.join(drawn)}</p>")
    return Markup("".join(shown))  # noqa: S704  # every part of it is escaped above


def dinamis_question_turn(question: dict[str, Any]) -> str:
    """Whose turn it is, and since when: ``Waits for PIGMA since 3 days``; empty for a closed question.

    :param question: of ``dinamis_question_list``
    """
    side, days = question["waiting_side"], question["waiting_days"]
    if side is None:
        return ""
    if side == "person":
        who = tk._("you") if question["mine"] else question["asker"] or tk._("the person")
    else:
        who = {"pigma": config.relay_name(), "dinamis": "DINAMIS"}[side]
    if not days:
        return tk._("Waits for {who} since today").format(who=who)
    return tk.ungettext("Waits for {who} since {n} day", "Waits for {who} since {n} days", days).format(who=who, n=days)


def dinamis_question_side(message: dict[str, Any]) -> str:
    """Who wrote a message: the person's name, the relay's, DINAMIS.

    :param message: of ``dinamis_question_show``
    """
    if message["side"] == "person":
        return message["author"] or tk._("The person")
    name = config.relay_name() if message["side"] == "pigma" else "DINAMIS"
    return f"{message['author']} ({name})" if message["author"] else name


def dinamis_question_files_hint() -> str:
    """Which files may come with a message."""
    text = tk._("At most {number} files of {size} MB each: {types}.")
    return text.format(number=config.question_files(), size=config.question_file_mb(), types=NAMES)


def dinamis_question_delivers() -> bool:
    """Whether a question reaches DINAMIS, and its answer comes back, by themselves."""
    return api.enabled()
