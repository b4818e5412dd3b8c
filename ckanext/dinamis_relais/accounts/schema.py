"""What the actions on accounts take: fields converted one by one, each problem with its remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.accounts.rules import LONGEST, ROLES, clean_email, clean_text, parse_date
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.schema import validator


def _email(value: Any) -> str:
    try:
        return clean_email(str(value))
    except ValueError as error:
        raise tk.Invalid(
            tk._("'{email}' is not an e-mail address. Example: prenom.nom@commune.fr.").format(email=value)
        ) from error


def _role(value: Any) -> str:
    if value not in ROLES:
        raise tk.Invalid(
            tk._("'{value}' is not possible. Choose one of: {names}.").format(value=value, names=", ".join(ROLES))
        )
    return str(value)


def _future_date(value: Any) -> Any:
    try:
        date = value if hasattr(value, "isoformat") else parse_date(str(value))
    except ValueError as error:
        raise tk.Invalid(tk._("'{value}' is not a date. Example: 31/12/2027.").format(value=value)) from error
    if date < utcnow().date():
        raise tk.Invalid(tk._("The end date has passed already. Give a later one, or none."))
    return date


def _text(name: str, *, lines: bool = False) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = clean_text(str(value), lines=lines)
        if len(text) > LONGEST[name]:
            raise tk.Invalid(tk._("At most {number} characters, please.").format(number=LONGEST[name]))
        return text

    return check


def _needed(sentence: str) -> Callable[..., None]:
    def check(key: Any, data: Any, errors: Any, context: Any) -> None:
        del context
        value = data.get(key)
        if value is tk.missing or value is None or not str(value).strip():
            errors[key].append(sentence)
            raise tk.StopOnError

    return check


def person() -> dict[str, Any]:
    """A person for an organisation, as every way of entry takes them."""
    default, empty = validator("default"), validator("ignore_empty")
    organization = _needed(tk._("Choose the person's organisation."))
    address = _needed(tk._("Give the person's e-mail address: the invitation is sent there."))
    first, family = _needed(tk._("Give the person's first name.")), _needed(tk._("Give the person's family name."))
    return {
        "organization_id": [organization, validator("unicode_safe"), validator("convert_group_name_or_id_to_id")],
        "email": [address, _email],
        "given_name": [first, _text("given_name"), first],
        "family_name": [family, _text("family_name"), family],
        "function": [default(""), _text("function")],
        "purpose": [default(""), _text("purpose", lines=True)],
        "role": [default("member"), _role],
        "ends_on": [empty, _future_date],
    }


def _reason() -> list[Any]:
    return [validator("default")(""), _text("reason", lines=True)]


def step() -> dict[str, Any]:
    """One transition of one account."""
    word = [validator("not_empty"), validator("unicode_safe")]
    optional = [validator("ignore_empty"), validator("unicode_safe")]
    return {
        "id": word,
        "transition": word,
        "reason": _reason(),
        "role": [validator("ignore_empty"), _role],
        "seen": optional,
    }


def steps() -> dict[str, Any]:
    """One transition of many accounts."""
    return {**step(), "id": [validator("ignore")], "ids": [validator("ignore_missing"), _ids]}


def correction() -> dict[str, Any]:
    """Changes of an account's details; what is not named stays."""
    missing, fields = validator("ignore_missing"), person()
    named = ("email", "given_name", "family_name", "function", "purpose", "role")
    found = {name: [missing, *(v for v in fields[name] if v is not fields[name][0])] for name in named}
    return {"id": [validator("not_empty"), validator("unicode_safe")], **found, "ends_on": [missing, _date_or_none]}


def _ids(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise tk.Invalid(tk._("Give the accounts' ids as a list."))
    return list(dict.fromkeys(value))


def _date_or_none(value: Any) -> Any:
    return _future_date(value) if value not in ("", None) else None
