"""What the actions of membership take."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.membership import rules
from ckanext.dinamis_relais.questions.rules import clean
from ckanext.dinamis_relais.schema import validator

#: Kinds of file; what each asks for is in ``kinds.py``.
KINDS = ("first", "renewal", "reacceptance", "change")
#: Fields of a person in a file (legal representative, referent).
PERSON = ("given_name", "family_name", "function", "email", "phone")
#: Fields of a file that its form changes.
FIELDS = (
    "siren", "siret", "legal_category", "category", "justification", "address",
    "territory_kind", "territory_code", "territory_name", "representative", "referent",
    "with_agreement",
)  # fmt: skip


def siren(value: Any) -> str:
    """CKAN validator: a SIREN as nine digits.

    :raises toolkit.Invalid: names the problem and the remedy
    """
    try:
        return rules.clean_siren(str(value))
    except ValueError as error:
        if str(error) == "length":
            raise tk.Invalid(tk._("A SIREN has nine digits. Check the number on an official paper.")) from error
        raise tk.Invalid(
            tk._("This SIREN is not valid: its check digit does not fit. One digit may be mistyped.")
        ) from error


def siret(value: Any) -> str:
    """CKAN validator: a SIRET as fourteen digits.

    :raises toolkit.Invalid: names the problem and the remedy
    """
    try:
        return rules.clean_siret(str(value))
    except ValueError as error:
        if str(error) == "length":
            raise tk.Invalid(tk._("A SIRET has fourteen digits: the SIREN and five more.")) from error
        raise tk.Invalid(
            tk._("This SIRET is not valid: its check digit does not fit. One digit may be mistyped.")
        ) from error


def person(value: Any) -> dict[str, str]:
    """CKAN validator: a person as an object of texts; unknown keys are refused.

    :raises toolkit.Invalid: names the key that is wrong
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise tk.Invalid(tk._("Give an object with: {names}.").format(names=", ".join(PERSON))) from error
    if not isinstance(value, dict):
        raise tk.Invalid(tk._("Give an object with: {names}.").format(names=", ".join(PERSON)))
    unknown = set(value) - set(PERSON)
    if unknown:
        raise tk.Invalid(
            tk._("Unknown: {unknown}. Give: {names}.").format(
                unknown=", ".join(sorted(unknown)), names=", ".join(PERSON)
            )
        )
    found = {key: " ".join(str(text).split()) for key, text in value.items() if text not in (None, "")}
    if found.get("email") and not rules.is_email(found["email"]):
        raise tk.Invalid(
            tk._("'{email}' is not an e-mail address. Example: mairie@commune.fr.").format(email=found["email"])
        )
    return found


def _one_of(choices: tuple[str, ...]) -> Any:
    def check(value: Any) -> str:
        if value not in choices:
            raise tk.Invalid(
                tk._("'{value}' is not possible. Choose one of: {names}.").format(value=value, names=", ".join(choices))
            )
        return str(value)

    return check


def fields_schema() -> dict[str, Any]:
    """Schema of a file's form: each field optional, a draft may be incomplete."""
    skip, text = validator("ignore_missing"), validator("unicode_safe")
    empty = validator("ignore_empty")
    return {
        "siren": [empty, siren],
        "siret": [empty, siret],
        "category": [empty, _one_of(rules.CATEGORIES)],
        "territory_kind": [empty, _one_of(rules.TERRITORY_KINDS)],
        "territory_code": [skip, text],
        "territory_name": [skip, text],
        "legal_category": [skip, text],
        "justification": [skip, text],
        "address": [skip, text],
        "representative": [empty, person],
        "referent": [empty, person],
        "with_agreement": [skip, validator("boolean_validator")],
    }


def create_schema() -> dict[str, Any]:
    """Schema of a new file: for an organisation that exists, or for one to be made with it."""
    skip, text = validator("ignore_missing"), validator("unicode_safe")
    return {
        **fields_schema(),
        "organization_id": [validator("ignore_empty"), text, validator("convert_group_name_or_id_to_id")],
        "organization_title": [skip, text],
        "kind": [validator("default")("first"), _one_of(KINDS)],
    }


def note(value: Any) -> str:
    """CKAN validator: a note as plain text, cleaned; not empty, not longer than ``rules.LONGEST_NOTE``.

    :raises toolkit.Invalid: says what to do
    """
    text = clean(value, lines=True) if isinstance(value, str) else ""
    if not text:
        raise tk.Invalid(tk._("Write the note: it is empty."))
    if len(text) > rules.LONGEST_NOTE:
        raise tk.Invalid(tk._("At most {number} characters, please.").format(number=rules.LONGEST_NOTE))
    return text


def note_schema() -> dict[str, Any]:
    """Schema of a note on a file."""
    return {"text": [note]}
