"""What templates ask of this room; each only calls an action."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.access import rules
from ckanext.dinamis_relais.web import act

__all__ = [
    "dinamis_basket_count",
    "dinamis_download_rights",
    "dinamis_identity",
    "dinamis_preview",
    "dinamis_signable",
]


def dinamis_download_rights(collection: str) -> dict[str, Any]:
    """The one thing to do next before a download, as ``dinamis_download_rights`` answers."""
    return act("dinamis_download_rights", collection=collection)


def dinamis_identity() -> dict[str, Any]:
    """Whether the present person's DINAMIS login is linked."""
    return act("dinamis_identity_link_show")


def dinamis_basket_count() -> int:
    """Images in the present person's basket; 0 for a visitor."""
    return 0 if tk.current_user.is_anonymous else act("dinamis_basket_show")["count"]


def dinamis_signable(url: str) -> bool:
    """Whether a file is on one of the hosts whose files are signed."""
    from ckanext.dinamis_relais import config

    return rules.host_allowed(url, config.signing_hosts())


def dinamis_preview(asset: dict[str, Any], rights: dict[str, Any]) -> str | None:
    """How the present person may see a file on the map: ``signed``, ``open``, ``later`` (something is to do first),
    or None: it cannot be shown.

    :param asset: of ``describe.assets``
    :param rights: of ``dinamis_download_rights``
    """
    from ckanext.dinamis_relais import config

    web = asset["href"].startswith(("https://", "http://"))
    if asset["format"] != "COG" or not web or not config.image_preview():
        return None
    licence = rights["licence"]
    accepted = licence is None or licence["accepted"]
    return rules.preview(dinamis_signable(asset["href"]), rights["step"], accepted) or "later"
