"""Rules of questions: the state machine, whose turn it is, what a text may hold. Pure."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

_ASK, _ANSWER = "question.ask", "question.answer"

MACHINE = Machine(
    "question",
    "open",
    (
        Transition("open", "write", "open", _ASK, None, "question_message", None, Event.QUESTION_WRITTEN.value),
        Transition("open", "answer", "answered", _ANSWER, None,
                   "question_answered", None, Event.QUESTION_ANSWERED.value),
        Transition("open", "escalate", "escalated", _ANSWER, None,
                   "question_escalated", None, Event.QUESTION_ESCALATED.value),
        Transition("open", "close", "closed", _ASK, None, "question_closed", None, Event.QUESTION_CLOSED.value),
        Transition("escalated", "write", "escalated", _ASK, None,
                   "question_message", None, Event.QUESTION_WRITTEN.value),
        Transition("escalated", "answer", "answered", _ANSWER, None,
                   "question_answered", None, Event.QUESTION_ANSWERED.value),
        Transition("escalated", "close", "closed", _ASK, None, "question_closed", None, Event.QUESTION_CLOSED.value),
        # More of the answer: it is still the person's turn.
        Transition("answered", "answer", "answered", _ANSWER, None,
                   "question_answered", None, Event.QUESTION_ANSWERED.value),
        Transition("answered", "write", "open", _ASK, None, "question_message", None, Event.QUESTION_REOPENED.value),
        Transition("answered", "close", "closed", _ASK, None, "question_closed", None, Event.QUESTION_CLOSED.value),
        Transition("closed", "write", "open", _ASK, None, "question_message", None, Event.QUESTION_REOPENED.value),
    ),
)  # fmt: skip

#: State → the side whose turn it is.
WAITING = {"open": "pigma", "escalated": "dinamis", "answered": "person"}
#: Who wrote a message.
SIDES = ("person", "pigma", "dinamis")
#: Transitions that carry a message: they are asked for by replying.
BY_REPLY = ("write", "answer")
#: Kinds of thing that a question is about.
KINDS = ("scene", "series", "guide", "page")

#: Longest texts that are taken, in characters.
LONGEST = {"title": 150, "text": 10_000}

#: Controls of writing direction: they make a text read otherwise than it is.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


def clean(value: str, *, lines: bool = False) -> str:
    """A text as it is kept: no control characters, nothing that turns the direction, no blanks around.

    :param lines: True when line ends and tabs stay; else the text is one line
    """
    kept = []
    for character in value.replace("\r\n", "\n").replace("\r", "\n"):
        category = unicodedata.category(character)
        if (character in "\n\t" and lines) or (category not in ("Cc", "Cs") and character not in _TURNING):
            kept.append(character)
        elif category == "Cc":
            kept.append(" ")
    text = "".join(kept)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip() if lines else re.sub(r"\s+", " ", text).strip()


def parts(line: str) -> list[tuple[str, str]]:
    """A line cut into plain text and web addresses: ``[("text", …), ("link", …)]``.

    What ends a sentence is no part of the address that it ends with.
    """
    found, at = [], 0
    for match in _ADDRESS.finditer(line):
        address = match[0].rstrip(".,;:!?…»")
        if address.endswith(")") and "(" not in address:
            address = address.rstrip(")")
        if len(address) <= len("https://"):
            continue
        found += [("text", line[at : match.start()]), ("link", address)]
        at = match.start() + len(address)
    found.append(("text", line[at:]))
    return [(kind, text) for kind, text in found if text]


def paragraphs(text: str) -> list[list[list[tuple[str, str]]]]:
    """A text as paragraphs of lines of :func:`parts`; an empty line parts two paragraphs."""
    return [[parts(line) for line in block.split("\n")] for block in re.split(r"\n\s*\n", text.strip()) if block]


def waiting_days(state: str, since: dt.datetime, now: dt.datetime) -> int | None:
    """Whole days since which a side has waited for; None when nobody is.

    :param since: when the state began, with its zone
    """
    return max(0, (now - since).days) if state in WAITING else None


def late(state: str, since: dt.datetime, now: dt.datetime, days: int) -> bool:
    """Whether PIGMA has let a question wait for longer than it promised; 0 days promise nothing."""
    return state == "open" and days > 0 and now - since > dt.timedelta(days=days)
