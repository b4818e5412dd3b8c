"""Rules of membership: pure, no CKAN and no database."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren as stdnum_siren
from stdnum.fr import siret as stdnum_siret

from ckanext.dinamis_relais.membership.machines import STEPS

#: What the legal representative accepts by signing (relay procedure, step 1).
ACCEPTANCES = ("amendment", "charter", "licences", "super_referent")

#: What a body signs besides when it is no partner of the relay yet.
AGREEMENT = "agreement"


def acceptances(with_agreement: bool) -> tuple[str, ...]:
    """What a signature accepts, in the order of its boxes.

    :param with_agreement: the convention is signed in one go with the avenant
    """
    return (AGREEMENT, *ACCEPTANCES) if with_agreement else ACCEPTANCES


CATEGORIES = ("state", "local_authority", "public_establishment", "research", "association", "contractor", "other")
#: Longest note on a file, in characters.
LONGEST_NOTE = 2_000
TERRITORY_KINDS = ("commune", "epci", "departement", "region")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")


@dataclass(frozen=True)
class Presumption:
    """What a legal category suggests about eligibility, never the decision.

    :ivar level: ``presumed``, ``to_justify``, ``contractor_only`` or ``unknown``
    :ivar why: key of the sentence that explains it
    """

    level: str
    why: str


#: First digits of Insee's legal category → presumption; the longest prefix wins.
#: Source: DINAMIS's public membership conditions (UIA), and Insee's nomenclature of legal categories.
_PRESUMPTIONS: dict[str, Presumption] = {
    "71": Presumption("presumed", "state"),
    "72": Presumption("presumed", "local_authority"),
    "73": Presumption("presumed", "public_establishment"),
    "74": Presumption("presumed", "public_body"),
    "41": Presumption("presumed", "industrial_public_establishment"),
    "92": Presumption("to_justify", "association"),
    "5": Presumption("contractor_only", "company"),
    "1": Presumption("contractor_only", "sole_trader"),
}


def presumption(legal_category: str) -> Presumption:
    """What Insee's four-digit legal category lets one presume.

    >>> presumption("7210").level
    'presumed'
    """
    for length in (2, 1):
        found = _PRESUMPTIONS.get(legal_category[:length])
        if found and legal_category[:length]:
            return found
    return Presumption("unknown", "unknown")


def clean_siren(value: str) -> str:
    """A SIREN as nine digits; spaces and dots are dropped.

    :raises ValueError: not nine digits, or a wrong check digit (Luhn, ISO/IEC 7812-1); the text says which
    """
    digits = re.sub(r"[\s.\u00a0\u202f-]", "", value)
    if not re.fullmatch(r"[0-9]{9}", digits):
        raise ValueError("length")
    if not stdnum_siren.is_valid(digits):
        raise ValueError("checksum")
    return digits


def clean_siret(value: str) -> str:
    """A SIRET as fourteen digits; La Poste's establishments have a rule of their own (digit sum).

    :raises ValueError: ``length`` or ``checksum``
    """
    digits = re.sub(r"[\s.\u00a0\u202f-]", "", value)
    if not re.fullmatch(r"[0-9]{14}", digits):
        raise ValueError("length")
    try:
        stdnum_siret.validate(digits)
    except NumberError as error:
        raise ValueError("checksum") from error
    return digits


def missing(application: Mapping[str, Any]) -> list[str]:
    """Names of what a file still lacks before its signature can be asked, in the form's order."""
    representative = application.get("representative") or {}
    lacking = [name for name in ("siren", "category", "territory_code") if not application.get(name)]
    lacking += [
        f"representative.{name}"
        for name in ("given_name", "family_name", "function", "email")
        if not representative.get(name)
    ]
    category, justification = application.get("category"), application.get("justification")
    if category in ("association", "contractor", "other") and not justification:
        lacking.append("justification")
    return lacking


def is_email(value: str) -> bool:
    """Whether a text may be an address; the mail itself is the real proof."""
    return bool(_EMAIL.fullmatch(value))


def not_accepted(accepted: Mapping[str, Any], with_agreement: bool = False) -> list[str]:
    """Which of :func:`acceptances` were not ticked."""
    return [name for name in acceptances(with_agreement) if accepted.get(name) not in (True, "true", "on", "1", 1)]


def next_number(pattern: str, year: int, number: int) -> str:
    """A convention's number from the operator's pattern.

    :raises ValueError: the pattern names something else than ``year`` and ``number``, or lacks ``number``
    """
    try:
        first, second = (pattern.format(year=year, number=n) for n in (1, 2))
        text = pattern.format(year=year, number=number)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"agreement_number_pattern is wrong: {error}. It knows {{year}} and {{number}}.") from error
    if first == second:
        raise ValueError("agreement_number_pattern has no {number}: two conventions would share one number.")
    return text


def steps(state: str, returns_to: str | None = None) -> list[dict[str, str]]:
    """The stepper: each step of the procedure with ``done``, ``current``, ``stopped`` or ``todo``.

    :param state: the application's state
    :param returns_to: where it came from, while changes are asked
    """
    at = state if state != "changes_requested" else (returns_to or "draft")
    position = next((i for i, (_name, states) in enumerate(STEPS) if at in states), -1)
    stopped = state in ("ineligible", "refused", "withdrawn")
    marks = []
    for i, (name, _states) in enumerate(STEPS):
        if i < position or state == "accepted":
            mark = "done"
        elif i == position:
            mark = "stopped" if stopped else "current"
        else:
            mark = "todo"
        marks.append({"name": name, "mark": mark})
    return marks


def waiting_for(state: str) -> str:
    """Who must act now: ``pigma``, ``signatory``, ``partner``, ``board`` or ``nobody``."""
    return {
        "draft": "pigma",
        "awaiting_signature": "signatory",
        "signed": "pigma",
        "under_review": "pigma",
        "submitted": "board",
        "deferred": "pigma",
        "changes_requested": "partner",
    }.get(state, "nobody")


def signed_digest(fields: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what a signature covers, so that a later change of it is seen."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


_SMALL = frozenset({"de", "du", "des", "la", "le", "les", "et", "en", "sur", "sous", "lès", "aux", "à", "pour"})


def entity_title(name: str) -> str:
    """An official name in capitals as people write it; a name that is not all capitals is left alone.

    >>> entity_title("COMMUNE DE ARCACHON")
    "Commune d'Arcachon"
    """
    if name != name.upper():
        return name
    words = [w if w in _SMALL else "-".join(p[:1].upper() + p[1:] for p in w.split("-")) for w in name.lower().split()]
    text = " ".join(words)
    text = re.sub(r"\b(d|l)'(\w)", lambda m: f"{m[1].lower()}'{m[2].upper()}", text, flags=re.IGNORECASE)
    text = re.sub(r"\bde ([AEIOUYÀÂÉÈÊÎÔÛ])", r"d'\1", text)
    return text[:1].upper() + text[1:]


def answer_day_problem(given: dt.date, today: dt.date, sent: dt.date | None) -> str | None:
    """What is wrong with the day on which the board is said to have answered: ``future``, ``early``; None if nothing.

    :param today: in the site's time zone, as the others
    :param sent: day on which the file left for the board, None while it has not
    """
    if given > today:
        return "future"
    return "early" if sent is not None and given < sent else None


def may_delete_note(author_id: str, reader_id: str, sysadmin: bool) -> bool:
    """Whether somebody may delete a note: who wrote it may; a sysadmin may, for those who have left.

    :param author_id: user's id of who wrote it
    :param reader_id: user's id of who asks
    """
    return sysadmin or author_id == reader_id
