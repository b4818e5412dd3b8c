"""Who proposes use cases, who reads them."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.authority import guard, user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.use_cases.model import UseCase

__all__ = [
    "dinamis_use_case_create",
    "dinamis_use_case_list",
    "dinamis_use_case_show",
    "dinamis_use_case_transition",
    "dinamis_use_case_update",
]


def _organization(context: Any, data_dict: dict[str, Any]) -> str | None:
    """The organisation of the use case, or the one that is named, or the one where the person has an account."""
    if data_dict.get("id"):
        package = model.Package.get(str(data_dict["id"]))
        row = session().get(UseCase, package.id) if package is not None else None
        return row.organization_id if row else None
    if data_dict.get("organization_id"):
        group = model.Group.get(str(data_dict["organization_id"]))
        return group.id if group else None
    user = user_of(context)
    return next(iter(active_organizations(user.id)), None) if user is not None else None


# What is not published is shown to PIGMA and to the organisation's people; the actions see to it.
dinamis_use_case_list = guard("use_case.read", anonymous=True)
dinamis_use_case_show = guard("use_case.read", anonymous=True)
dinamis_use_case_create = guard("use_case.propose", _organization)
dinamis_use_case_update = guard("use_case.propose", _organization)
# Which step a person may take is the machine's to say; the action asks it.
dinamis_use_case_transition = guard("use_case.propose", _organization)
