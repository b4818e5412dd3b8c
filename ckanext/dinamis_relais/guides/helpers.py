"""Template helpers of guides: themes in words, texts in the page's language, Markdown as safe HTML."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from markupsafe import Markup

from ckanext.dinamis_relais.guides import markup

__all__ = [
    "dinamis_guide_text",
    "dinamis_guide_themes",
    "dinamis_markdown",
]


def dinamis_guide_themes() -> dict[str, str]:
    """Theme → words, in the order in which pages show them."""
    _ = tk._
    return {
        "basics": _("Understand the images"),
        "access": _("Get the images"),
        "tools": _("Work with them"),
        "uses": _("What they are used for"),
    }


def dinamis_guide_text(guide: dict[str, Any], key: str) -> str:
    """``title`` or ``summary`` of a guide in the page's language; in French where it has no other."""
    if str(tk.h.lang() or "fr").startswith("fr"):
        return guide[key]
    return guide.get(f"{key}_en") or guide[key]


def dinamis_markdown(text: str) -> Markup:
    """Markdown as safe HTML; raw HTML is shown as it was typed."""
    return markup.render(text)
