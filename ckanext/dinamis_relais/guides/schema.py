"""What the actions on guides take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.guides.rules import KINDS, LONGEST, THEMES
from ckanext.dinamis_relais.questions.rules import clean
from ckanext.dinamis_relais.schema import validator


def text_of(longest: int, missing: str = "", *, lines: bool = False) -> Callable[..., None]:
    """A cleaned text within its length.

    :param missing: the sentence for one that must not be empty; none for an optional text
    :param lines: True when line ends stay
    """

    def checked(key: Any, data: Any, errors: Any, context: Any) -> None:
        del context
        value = data.get(key)
        text = clean(value, lines=lines) if isinstance(value, str) else ""
        if not text and missing:
            errors[key].append(missing)
            raise tk.StopOnError
        if len(text) > longest:
            errors[key].append(tk._("At most {number} characters, please.").format(number=longest))
            raise tk.StopOnError
        data[key] = text

    return checked


def _texts() -> dict[str, Any]:
    needed = {
        "title": tk._("Give it a title: what a person would ask, in a few words."),
        "body": tk._("Write the text."),
    }
    return {
        name: [text_of(LONGEST[name], needed.get(name, ""), lines=name == "body")]
        for name in ("title", "summary", "body", "title_en", "summary_en")
    }


def guide() -> dict[str, Any]:
    """A new guide or answer."""
    default, one_of = validator("default"), validator("one_of")
    theme = tk._("Choose a theme: {themes}.").format(themes=", ".join(THEMES))

    def known(value: Any) -> Any:
        if value not in THEMES:
            raise tk.Invalid(theme)
        return value

    return {
        **_texts(),
        "kind": [default("guide"), one_of(KINDS)],
        "theme": [default(""), known],
        "state": [default("draft"), one_of(("draft", "published"))],
    }


def changed() -> dict[str, Any]:
    """New texts of a guide."""
    whole = guide()
    del whole["state"], whole["kind"]
    return {"id": word(), **whole, "seen": [validator("ignore_missing"), validator("natural_number_validator")]}


def word() -> list[Any]:
    """A text that must be given."""
    return [validator("not_empty"), validator("unicode_safe")]


def step() -> dict[str, Any]:
    """A transition."""
    return {"id": word(), "transition": word()}


def restore() -> dict[str, Any]:
    """A version to put back."""
    return {"id": word(), "number": [validator("not_missing"), validator("natural_number_validator")]}
