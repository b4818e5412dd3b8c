"""All mails of all rooms: when each leaves, to whom, with which tags. The page and ``docs/mails.md`` read it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.gateway import mailer, replies

LANGUAGES = ("fr", "en")


def machines() -> list[Any]:
    """All state machines."""
    from ckanext.dinamis_relais.accounts.rules import MACHINE
    from ckanext.dinamis_relais.imagery_requests.rules import MACHINE as REQUEST
    from ckanext.dinamis_relais.membership.machines import APPLICATION, MEMBERSHIP
    from ckanext.dinamis_relais.questions.rules import MACHINE as QUESTION
    from ckanext.dinamis_relais.use_cases.rules import MACHINE as USE_CASE

    return [APPLICATION, MEMBERSHIP, MACHINE, QUESTION, REQUEST, USE_CASE]


def recipients() -> dict[str, tuple[str, ...]]:
    """Message → who receives it, of all rooms; a message that is not named here goes to the person it is about."""
    from ckanext.dinamis_relais.alerts.rules import RECIPIENTS as ALERTS
    from ckanext.dinamis_relais.imagery_requests.letters import RECIPIENTS as REQUESTS
    from ckanext.dinamis_relais.membership.letters import RECIPIENTS
    from ckanext.dinamis_relais.news.registering import RECIPIENTS as NEWS
    from ckanext.dinamis_relais.questions.letters import RECIPIENTS as QUESTIONS
    from ckanext.dinamis_relais.use_cases.letters import RECIPIENTS as USE_CASES

    return {**RECIPIENTS, **QUESTIONS, **NEWS, **REQUESTS, **USE_CASES, **ALERTS,
            "account_erasure_requested": ("contact",), "board_dossier": ("board_address",),
            "board_notice": ("board_address",), "sending_account": ("board_address",),
            "sending_question": ("board_address",), "sending_request": ("board_address",),
            "harvest_failed": ("super_referent",), "journal_head": ("site_operator",)}  # fmt: skip


def about_what_is_in_hand() -> set[str]:
    """Mails about a thing that a moderator may have in hand (``replies.IN_HAND``): of files, and of requests."""
    from ckanext.dinamis_relais.imagery_requests.letters import RECIPIENTS as REQUESTS
    from ckanext.dinamis_relais.membership.letters import RECIPIENTS

    return {*RECIPIENTS, *REQUESTS, "board_dossier"}


def transitions() -> dict[str, list[tuple[str, str, str]]]:
    """Message → the (machine, state, transition) after which it leaves."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for machine in machines():
        for row in machine:
            if row.mail:
                found.setdefault(row.mail, []).append((machine.name, row.source, row.name))
    return found


def names() -> list[str]:
    """Names of all mails."""
    return sorted(path.name.removesuffix(".fr.txt") for path in mailer.TEMPLATES.glob("*.fr.txt"))


def sample(name: str, language: str) -> dict[str, Any]:
    """An example of every tag that any mail has, of nobody and of no place that exists."""
    french, site = language == "fr", config.site_url()
    day = mailer.day(dt.date(2027, 1, 31), language)
    return {
        **mailer.given(),
        "contact": replies.usual(name),
        "recipient_name": "Alix Exemple",
        "organization": "Commune d'Exempleville" if french else "Municipality of Exampleville",
        "number": "PIGMA-DINAMIS-2026-0042",
        "link": "123456" if name == "signature_code" else f"{site}/dinamis/sign/EXEMPLE",
        "reason": "Le SIREN ne correspond pas à la structure." if french else "The SIREN is another organisation's.",
        "page": f"{site}/organization/exemple/dinamis",
        "file_page": f"{site}/dinamis/moderation/applications/exemple",
        "board_page": f"{site}/dinamis/board/exemple",
        "url": f"{site}/dinamis",
        "about_url": f"{site}/dinamis/images",
        "about_title": "Les images de ma commune" if french else "The images of my municipality",
        "representative": "Alix Exemple", "person": "Lou Exemple", "texts": "Charte DINAMIS (2027)", "last_day": day,
        "starts_on": "01/06/2027", "ends_on": "31/08/2027", "days": 30, "hours": 48, "minutes": 15, "km2": 12.5,
        "product": "SPOT", "files": 2, "first": True, "unopened": False, "by_archive": True, "by_dinamis": False,
        "state": "expired", "title": "Suivi des haies" if french else "Hedges", "source": "SPOT 6/7",
        "purpose": "Suivre les haies de la commune." if french else "Follow the hedges of the municipality.",
        "answer": "L'image demandée est au catalogue." if french else "The image is in the catalogue.",
        "message": "Le service n'a pas répondu." if french else "The service did not answer.",
        "text": "Voici le texte du message." if french else "This is the message's text.",
        "count": 3, "one": True,
        "places": [{"title": "Exempleville", "count": 3, "text": "- SPOT 6, 12/07/2023", "rest": 2,
                    "page": f"{site}/dinamis/coverage/commune/00000"}],
        "scenes": [{"title": "SPOT 6, 12/07/2023", "id": "exemple", "collection": "spot"}],
        "expires_on": day, "since": day, "again": False, "attached": True, "day": day, "at": "2027-01-31T02:00:00Z",
        "hash": "0" * 64,
    }  # fmt: skip
