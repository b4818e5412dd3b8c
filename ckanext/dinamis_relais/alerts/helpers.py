"""What pages about images say of the alerts of who reads them."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.web import act

__all__ = ["dinamis_watched"]


def dinamis_watched(kind: str = "", code: str = "") -> list[dict[str, Any]]:
    """The places that the present person watches: all, or the one that is asked for; none for a visitor.

    :param kind: as in ``dinamis_watch_create``
    """
    if tk.current_user.is_anonymous:
        return []
    found = act("dinamis_watch_list")["results"]
    return [one for one in found if not kind or (one["kind"], one["code"]) == (kind, code)]
