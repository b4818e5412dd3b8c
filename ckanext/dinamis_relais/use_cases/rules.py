"""Rules of use cases: the state machine, the table of themes, what a proposal must say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

DATASET_TYPE = "imagery-use-case"

_PROPOSE, _PUBLISH = "use_case.propose", "use_case.publish"

MACHINE = Machine(
    "use_case",
    "draft",
    (
        Transition("draft", "propose", "proposed", _PROPOSE, "complete",
                   "use_case_proposed", None, Event.USE_CASE_PROPOSED.value),
        Transition("draft", "discard", "discarded", _PROPOSE, None, None, None, Event.USE_CASE_DISCARDED.value),
        Transition("proposed", "publish", "published", _PUBLISH, "complete",
                   "use_case_published", None, Event.USE_CASE_PUBLISHED.value),
        Transition("proposed", "send_back", "sent_back", _PUBLISH, None,
                   "use_case_sent_back", None, Event.USE_CASE_SENT_BACK.value, reason=True),
        Transition("proposed", "withdraw", "draft", _PROPOSE, None, None, None, Event.USE_CASE_WITHDRAWN.value),
        Transition("sent_back", "propose", "proposed", _PROPOSE, "complete",
                   "use_case_proposed", None, Event.USE_CASE_PROPOSED.value),
        Transition("sent_back", "discard", "discarded", _PROPOSE, None, None, None, Event.USE_CASE_DISCARDED.value),
        Transition("published", "unpublish", "sent_back", _PUBLISH, None,
                   "use_case_unpublished", None, Event.USE_CASE_UNPUBLISHED.value, reason=True),
    ),
)  # fmt: skip

#: State → verbs of who may change the texts. What waits for PIGMA or is published is not changed behind its back.
CHANGED_BY = {
    "draft": _PROPOSE, "sent_back": _PROPOSE, "proposed": _PUBLISH, "published": _PUBLISH,
}  # fmt: skip

#: Theme → names of the shipped guides beside which its use cases are shown; in the order of the pages.
THEMES: dict[str, tuple[str, ...]] = {
    "planning": ("urbanisation", "occupation-du-sol"),
    "forest": ("foret",),
    "agriculture": ("ndvi",),
    "coast": ("littoral",),
    "water": (),
    "risks": ("incendie",),
    "biodiversity": ("occupation-du-sol", "ndvi"),
    "climate": (),
    "other": (),
}

#: Kinds of territory that API Géo knows; a place in free words has none.
TERRITORIES = ("commune", "epci", "departement")

#: Longest texts that are taken, in characters.
LONGEST = {
    "title": 150, "summary": 300, "result": 20_000, "territory": 150, "imagery": 300, "contact_office": 150,
    "contact_email": 254, "picture_alt": 200, "picture_credit": 200,
}  # fmt: skip

#: What must be said before PIGMA is asked to publish.
NEEDED = ("title", "summary", "result", "themes", "territory", "contact_office")


def missing(case: Mapping[str, Any]) -> list[str]:
    """What a use case does not say yet and must, to be proposed.

    >>> missing({"title": "Haies", "summary": "", "result": "Oui.", "themes": ["forest"], "territory": "Bègles",
    ...          "contact_office": "Service SIG", "picture": True, "picture_alt": ""})
    ['summary', 'picture_alt']
    """
    found = [name for name in NEEDED if not case.get(name)]
    # Who does not see a picture is told what it shows.
    return [*found, "picture_alt"] if case.get("picture") and not case.get("picture_alt") else found


def themes_of_guide(name: str) -> list[str]:
    """Themes whose use cases are shown beside a guide.

    >>> themes_of_guide("ndvi")
    ['agriculture', 'biodiversity']
    """
    return [theme for theme, guides in THEMES.items() if name in guides]
