"""Rules of guides: kinds, themes, states, names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

KINDS = ("guide", "faq")
#: In the order in which the page shows them.
THEMES = ("basics", "access", "tools", "uses")
#: Longest texts that are taken, in characters.
LONGEST = {"title": 150, "summary": 300, "body": 50_000, "title_en": 150, "summary_en": 300}
#: Names that are pages of their own.
RESERVED = frozenset({"new"})

_WRITE = "guide.write"

MACHINE = Machine(
    "guide",
    "draft",
    (
        Transition("draft", "publish", "published", _WRITE, None, None, None, Event.GUIDE_PUBLISHED.value),
        Transition("published", "unpublish", "draft", _WRITE, None, None, None, Event.GUIDE_UNPUBLISHED.value),
    ),
)


def plain(text: str) -> str:
    """A text without accents and capitals, for searching.

    >>> plain("Forêt")
    'foret'
    """
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def name_of(title: str, taken: Container[str]) -> str:
    """The last part of the address of a new guide.

    :param taken: names that others have

    >>> name_of("Où est l'image ?", {"ou-est-l-image"})
    'ou-est-l-image-2'
    """
    name = re.sub(r"[^a-z0-9]+", "-", plain(title)).strip("-")[:60].rstrip("-") or "guide"
    if name not in taken and name not in RESERVED:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
