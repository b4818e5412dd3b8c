"""Words in the page's language, each searched once a process and language."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import ckan.plugins.toolkit as tk
from flask_babel import get_locale
from markupsafe import Markup

T = TypeVar("T")


def words(table: Callable[[], T]) -> T:
    """A table in the page's language: a page of rows asks it many times, and each word is a search of the translations.

    :param table: makes it, of the translations alone: what it gives is kept for all, and nobody may change it
    """
    return _in_language(table, str(tk.h.lang()))


@lru_cache(maxsize=256)
def _in_language(table: Callable[[], T], _language: str) -> T:
    # The words follow the page's language, which is the key; translations are loaded once a process too.
    return table()


def translator() -> Callable[..., Markup]:
    """What the templates know as ``_``, for one page in its language: the words it has said before are remembered.

    Jinja's own goes by its context and Flask-Babel's for each word; a page says a hundred, the same at each call.
    """
    language = str(get_locale())

    def translated(text: str, **variables: Any) -> Markup:
        return _formatted(text, variables) if variables else _remembered(text, language)

    return translated


@lru_cache(maxsize=4096)
def _remembered(text: str, _language: str) -> Markup:
    return _formatted(text, {})


def _formatted(text: str, variables: dict[str, Any]) -> Markup:
    # As Jinja does it ("newstyle"): a translation is safe and always a format, so that %% is a percent sign.
    return Markup(tk._(text)) % variables  # noqa: S704  # our own catalogues
