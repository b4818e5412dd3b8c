"""Who asks for an image, who follows a request, who decides on it."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context, DataDict

from ckanext.dinamis_relais.authority import guard, user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest

__all__ = [
    "dinamis_area_import",
    "dinamis_area_read",
    "dinamis_request_create",
    "dinamis_request_list",
    "dinamis_request_preview",
    "dinamis_request_show",
    "dinamis_request_transition",
]


def _row(data_dict: dict[str, Any]) -> ImageryRequest | None:
    return session().get(ImageryRequest, str(data_dict["id"])) if data_dict.get("id") else None


def _organization(_context: Any, data_dict: dict[str, Any]) -> str | None:
    if data_dict.get("id"):
        row = _row(data_dict)
        return row.organization_id if row is not None else None
    return data_dict.get("organization_id")


def _own_or(verb: str, organization: Any = None) -> Any:
    """An auth function: who asked, and the holders of a verb."""
    others = guard(verb, organization)

    def check(context: Context, data_dict: DataDict) -> AuthResult:
        user, row = user_of(context), _row(data_dict or {})
        if row is not None and user is not None and user.state == "active" and row.user_id == user.id:
            return {"success": True}
        return others(context, data_dict)

    check.verb = verb  # type: ignore[attr-defined]  # read by the documentation and by the walk of rights
    return tk.auth_sysadmins_check(check)


dinamis_area_import = guard("request.create")
dinamis_area_read = guard("scene.read", anonymous=True)
dinamis_request_preview = guard("request.create")
dinamis_request_create = guard("request.create")
# The list holds what its reader may see: one's own, those of the organisations whose referent one is, or all.
dinamis_request_list = guard("request.create")
dinamis_request_show = _own_or("request.read", _organization)
# Which step a person may take is the machine's to say; the action asks it.
dinamis_request_transition = _own_or("request.decide")
