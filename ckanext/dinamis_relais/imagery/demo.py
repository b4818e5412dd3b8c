"""The demonstration's harvest source, made and run through ckanext-harvest's own actions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.imagery.running import site_context
from ckanext.dinamis_relais.imagery.watch import SOURCE_TYPE

NAME = "imagerie-spot-6-7-bac-a-sable"
TITLE = "Imagerie SPOT 6/7 (bac à sable)"


def source_of(url: str, organization: str | None = None) -> dict[str, Any]:
    """The harvest source of the demonstration, made when it is missing, moved when its address changed.

    :param url: landing page of a STAC API
    :param organization: name or id of its owner; the first organization of the site by default
    :raises toolkit.ValidationError: there is no organization, or CKAN refuses the source
    """
    try:
        source = tk.get_action("harvest_source_show")(site_context(), {"id": NAME})
        if source["url"] == url and source.get("state") == "active":
            return source
        return tk.get_action("harvest_source_update")(site_context(), {**source, "url": url, "state": "active"})
    except tk.ObjectNotFound:
        pass
    values = {
        "name": NAME, "title": TITLE, "url": url, "source_type": SOURCE_TYPE, "frequency": "MANUAL",
        "owner_org": organization or _first_organization(),
        "notes": "Scènes synthétiques du bac à sable : elles imitent les images SPOT 6/7 et n'en sont pas.",
    }  # fmt: skip
    return tk.get_action("harvest_source_create")(site_context(), values)


def _first_organization() -> str:
    names = tk.get_action("organization_list")(site_context(), {"limit": 1})
    if not names:
        raise tk.ValidationError({"organization": ["There is no organization yet. Make one first."]})
    return names[0]
