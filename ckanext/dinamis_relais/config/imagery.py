"""Scenes, and what signs them."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.config.base import get, path

__all__ = [
    "alerts_hour",
    "csw_url",
    "download_quotas",
    "harvest_folder",
    "harvest_stuck_minutes",
    "image_licences",
    "image_preview",
    "scenes_url",
    "signing_client_id",
    "signing_hosts",
    "signing_scope",
    "signing_url",
]


def scenes_url() -> str:
    """PostgreSQL URL of the scene store; by default ``dinamis_scenes`` on the server of CKAN's database."""
    from sqlalchemy.engine import make_url

    if get("scenes_url"):
        return get("scenes_url")
    return make_url(tk.config["sqlalchemy.url"]).set(database="dinamis_scenes").render_as_string(hide_password=False)


def alerts_hour() -> int:
    """Hour of the day, in the site's zone, from which on the mails about new images leave."""
    return min(23, max(0, int(get("alerts_hour"))))


def csw_url() -> str:
    """Public address of the CSW; empty when this site has none."""
    return str(get("csw_url"))


def harvest_folder() -> Path | None:
    """Folder whose files may be harvested by a ``file:`` address; None for none."""
    return path("harvest_folder")


def harvest_stuck_minutes() -> int:
    """Minutes without a sign of life after which a harvest of imagery is ended; 0 for never."""
    return int(get("harvest_stuck_minutes"))


def signing_url() -> str:
    """Base address of the signing service, without a final slash."""
    return str(get("signing.url")).rstrip("/")


def signing_hosts() -> frozenset[str]:
    """Hosts whose addresses are signed: a name stands for its subdomains too, ``name:port`` for exactly that."""
    return frozenset(str(host) for host in get("signing.hosts") or ())


def signing_client_id() -> str:
    """Client id at the identity provider of the signing service."""
    return str(get("signing.client_id"))


def signing_scope() -> str:
    """Scope that is asked of the identity provider."""
    return str(get("signing.scope"))


def image_licences() -> Path | None:
    """The operator's file of licences; None for the shipped model."""
    return path("image_licences")


def image_preview() -> bool:
    """Whether a scene's page offers to show an image on its map, read from its store by the person's browser."""
    return tk.asbool(get("image_preview"))


def download_quotas() -> Path | None:
    """The operator's file of quotas; None for no quota."""
    return path("download_quotas")
