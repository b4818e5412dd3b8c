"""Tables of words in the page's language, each made once a process and language."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import ckan.plugins.toolkit as tk

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
