"""What the imagery templates need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais.imagery import coverage_words, territories
from ckanext.dinamis_relais.imagery.describe import number
from ckanext.dinamis_relais.imagery.filters import Filters
from ckanext.dinamis_relais.web import act

__all__ = [
    "dinamis_coverage_years",
    "dinamis_direction",
    "dinamis_place_query",
    "dinamis_scene_number",
    "dinamis_territory",
]


def dinamis_scene_number(value: float, digits: int = 0) -> str:
    """A number as the page's language writes it."""
    return number(value, digits)


def dinamis_place_query(filters: Filters, place: str) -> str:
    """The explorer's query with another place."""
    return replace(filters, place=place).query()


def dinamis_direction(name: str) -> str:
    """Where a hole lies in its territory."""
    return coverage_words.direction(name)


def dinamis_coverage_years(kind: str | None, code: str | None) -> list[dict[str, Any]]:
    """The years of a territory, each with what is covered; none when it is not known, or cannot be had now."""
    if not kind or not code:
        return []
    try:
        return coverage_words.strip(act("dinamis_scene_coverage", kind=kind, code=code, whole="none")["years"])
    except (tk.ValidationError, tk.ObjectNotFound, SQLAlchemyError):
        return []


def dinamis_territory(kind: str | None, code: str | None) -> dict[str, Any] | None:
    """A territory whose outline is known: address of its picture, its label; None for any other.

    Nobody is asked while a page is drawn: what was asked for its coverage is remembered.
    """
    found = territories.remembered(kind, code.upper()) if kind and code else None
    if found is None or found.outline is None:
        return None
    return {"label": found.label, "picture": tk.h.url_for("dinamis_coverage.territory", kind=kind, code=found.code)}
