"""Template helpers of the figures."""

from __future__ import annotations

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.overview import exports
from ckanext.dinamis_relais.overview.panels import month_label

__all__ = ["dinamis_exports", "dinamis_month"]


def dinamis_month(month: str) -> str:
    """``2025-03`` in full: ``mars 2025``."""
    return month_label(month, "MMMM yyyy")


def dinamis_exports() -> list[tuple[str, str]]:
    """The files of the list that the present page shows, with its filters: (``csv`` or ``xlsx``, address)."""
    name = exports.PAGES.get(tk.request.endpoint or "")
    if name is None:
        return []
    asked = exports.asked(name)
    return [(e, tk.url_for("dinamis_overview.export", name=name, ending=e, **asked)) for e in ("csv", "xlsx")]
