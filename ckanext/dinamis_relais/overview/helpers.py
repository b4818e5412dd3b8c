"""Template helpers of the figures."""

from __future__ import annotations

from ckanext.dinamis_relais.overview.panels import month_label

__all__ = ["dinamis_month"]


def dinamis_month(month: str) -> str:
    """``2025-03`` in full: ``mars 2025``."""
    return month_label(month, "MMMM yyyy")
