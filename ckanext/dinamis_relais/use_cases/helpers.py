"""Template helpers of use cases: themes in words, and those that belong beside a page."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.use_cases.rules import themes_of_guide
from ckanext.dinamis_relais.web import act

__all__ = [
    "dinamis_use_case_of",
    "dinamis_use_case_theme_choices",
    "dinamis_use_case_themes",
    "dinamis_use_cases",
    "dinamis_use_cases_of_guide",
]


def dinamis_use_case_themes() -> dict[str, str]:
    """Theme → words, in the order in which pages show them."""
    _ = tk._
    return {
        "planning": _("Planning and urban growth"),
        "forest": _("Forest and hedges"),
        "agriculture": _("Agriculture"),
        "coast": _("Coast"),
        "water": _("Water and wetlands"),
        "risks": _("Risks and fires"),
        "biodiversity": _("Biodiversity and land cover"),
        "climate": _("Climate and energy"),
        "other": _("Other"),
    }


def dinamis_use_case_theme_choices(field: dict[str, Any]) -> list[dict[str, str]]:
    """The themes as ckanext-scheming wants them."""
    del field
    return [{"value": theme, "label": label} for theme, label in dinamis_use_case_themes().items()]


def dinamis_use_cases(limit: int = 3, **wanted: str) -> list[dict[str, Any]]:
    """Published use cases, the newest first.

    :param wanted: ``theme``, ``series``, ``organization_id`` of ``dinamis_use_case_list``
    """
    return act("dinamis_use_case_list", state="published", limit=limit, **wanted)["results"]


def dinamis_use_cases_of_guide(name: str, limit: int = 3) -> list[dict[str, Any]]:
    """Published use cases of a guide's themes.

    :param name: of ``dinamis_guide_show``
    """
    themes = themes_of_guide(name)
    return dinamis_use_cases(limit, theme=",".join(themes)) if themes else []


def dinamis_use_case_of(dataset_id: str) -> dict[str, Any] | None:
    """The use case that a dataset is the record of; None when who asks may not read it."""
    try:
        return act("dinamis_use_case_show", id=dataset_id)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
