"""What the imagery templates need."""

from __future__ import annotations

from dataclasses import replace

from ckanext.dinamis_relais.imagery.describe import number
from ckanext.dinamis_relais.imagery.filters import Filters

__all__ = ["dinamis_place_query", "dinamis_scene_number"]


def dinamis_scene_number(value: float, digits: int = 0) -> str:
    """A number as the page's language writes it."""
    return number(value, digits)


def dinamis_place_query(filters: Filters, code: str) -> str:
    """The explorer's query with another place."""
    return replace(filters, place=code).query()
