"""What the actions on requests take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.imagery_requests import rules
from ckanext.dinamis_relais.questions.rules import clean
from ckanext.dinamis_relais.schema import validator


def text(name: str, missing: str | None, *, lines: bool) -> Callable[..., None]:
    """A cleaned text.

    :param missing: the sentence when it is empty; None when it may be
    """

    def checked(key: Any, data: Any, errors: Any, context: Any) -> None:
        del context
        value = data.get(key)
        found = clean(value, lines=lines) if isinstance(value, str) else ""
        if not found and missing:
            errors[key].append(missing)
            raise tk.StopOnError
        if len(found) > rules.LONGEST[name]:
            errors[key].append(tk._("At most {number} characters, please.").format(number=rules.LONGEST[name]))
            raise tk.StopOnError
        data[key] = found or None

    return checked


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise tk.Invalid(tk._("Give a date as year-month-day, such as 2027-05-31.")) from error


def _cloud(value: Any) -> int:
    try:
        number = int(str(value).strip())
    except ValueError:
        number = -1
    if not 0 <= number <= 100:
        raise tk.Invalid(tk._("Give the most clouds as a whole number from 0 to 100 (percent of the image)."))
    return number


def _product(value: Any) -> rules.Product:
    known = rules.products(config.request_products())
    for one in known:
        if one.name.lower() == str(value).strip().lower():
            return one
    names = ", ".join(one.name for one in known)
    raise tk.Invalid(tk._("Choose one of: {names}.").format(names=names))


def wish() -> dict[str, Any]:
    """When, how clear, how fine."""
    return {
        "starts_on": [validator("not_empty"), _day],
        "ends_on": [validator("not_empty"), _day],
        "cloud": [validator("ignore_empty"), _cloud],
        "product": [validator("default")(_default_product()), _product],
    }


def _default_product() -> str:
    known = rules.products(config.request_products())
    return known[0].name if known else ""


def request() -> dict[str, Any]:
    """A new request, its area apart."""
    why = tk._("Say what the image is for: what you will look at, and who uses the result.")
    optional = [validator("ignore_empty"), validator("unicode_safe")]
    return {
        **wish(),
        "title": [text("title", None, lines=False)],
        "purpose": [text("purpose", why, lines=True)],
        "organization_id": optional,
        "by_archive": [validator("default")(False), validator("boolean_validator")],
    }


def step() -> dict[str, Any]:
    """A transition."""
    word = [validator("not_empty"), validator("unicode_safe")]
    return {
        "id": word,
        "transition": word,
        "reason": [text("reason", None, lines=True)],
        "reason_code": [validator("ignore_empty"), validator("one_of")(list(rules.REASONS))],
        "answer": [text("reason", None, lines=True)],
        "seen": [validator("ignore_empty"), validator("unicode_safe")],
    }


def scenes_of(value: Any) -> list[tuple[str, str]]:
    """Scenes as ``collection/id``, one text a scene, or as dictionaries of ``collection`` and ``id``.

    :raises toolkit.ValidationError: none of these, or more than 50
    """
    values = value if isinstance(value, (list, tuple)) else str(value).split() if value else []
    found = []
    for one in values:
        if isinstance(one, dict):
            pair = (one.get("collection"), one.get("id"))
        else:
            collection, _slash, id_ = str(one).partition("/")
            pair = (collection, id_)
        if not all(isinstance(part, str) and part for part in pair) or len(values) > 50:
            text_ = tk._("Give at most 50 scenes, each as collection/identifier.")
            raise tk.ValidationError({"scenes": [text_]})
        found.append((str(pair[0]), str(pair[1])))
    return list(dict.fromkeys(found))
