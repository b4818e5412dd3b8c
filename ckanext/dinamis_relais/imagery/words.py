"""Scenes in words: satellites, dates, resolutions as a person says them. Pure."""

from __future__ import annotations

import datetime as dt

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
    "novembre", "décembre",
)  # fmt: skip

_PLATFORMS = {"pleiades-1a": "Pléiades 1A", "pleiades-1b": "Pléiades 1B"}


def platform_name(platform: str | None) -> str:
    """``spot-6`` as ``SPOT 6``; empty for None."""
    if not platform:
        return ""
    return _PLATFORMS.get(platform) or platform.replace("-", " ").upper()


def french_date(moment: dt.datetime | dt.date) -> str:
    """``1er juillet 2023``: series datasets are described in French first, whoever runs the harvest."""
    day = "1er" if moment.day == 1 else str(moment.day)
    return f"{day} {_MONTHS[moment.month - 1]} {moment.year}"


def french_number(value: float) -> str:
    """A number with a narrow space between thousands and a decimal comma."""
    text = f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
    return text.replace(",", "\u202f").replace(".", ",")
