"""How a setting is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk

PREFIX = "ckanext.dinamis_relais."


def get(key: str) -> Any:
    """The value of a setting, as CKAN has read it."""
    return tk.config.get(PREFIX + key)


def path(key: str) -> Path | None:
    """The file or folder that a setting names; None when it is empty."""
    return Path(get(key)) if get(key) else None


def days(key: str) -> list[int]:
    """Numbers of days that a setting lists, the smallest first."""
    words = list(get(key) or ())
    if not all(str(word).isdecimal() and int(word) for word in words):
        raise ValueError(f"{PREFIX}{key}: whole numbers of days, separated by spaces, for instance 7 21.")
    return sorted({int(word) for word in words})
