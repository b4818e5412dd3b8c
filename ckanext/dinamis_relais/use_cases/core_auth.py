"""Rights of CKAN's own actions that this room narrows: none of them writes a use case around moderation."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import authz, model
from ckan.types import AuthResult, Context, DataDict

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.use_cases.rules import DATASET_TYPE

__all__ = ["bulk_update_private", "bulk_update_public", "package_create", "package_update"]


def _next(next_auth: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    # Sysadmins come here too, for the refusal; what is no use case is theirs as ever.
    if authz.is_sysadmin(context.get("user")):
        return {"success": True}
    return next_auth(context, data_dict)


def _refusal() -> AuthResult:
    return {"success": False, "msg": tk._("A use case is written, proposed and published on its own page.")}


@tk.chained_auth_function
@tk.auth_sysadmins_check
@tk.auth_allow_anonymous_access
def package_create(next_auth: Any, context: Context, data_dict: DataDict | None = None) -> AuthResult:
    """CKAN's, refused for datasets of the type of use cases."""
    if (data_dict or {}).get("type") == DATASET_TYPE:
        return _refusal()
    return _next(next_auth, context, data_dict)


@tk.chained_auth_function
@tk.auth_sysadmins_check
@tk.auth_allow_anonymous_access
def package_update(next_auth: Any, context: Context, data_dict: DataDict | None = None) -> AuthResult:
    """CKAN's, refused for use cases; patches, revisions, resources and deletions by editors ask it too."""
    package: Any = context.get("package")
    given = (data_dict or {}).get("id") or (data_dict or {}).get("name")
    if given:
        package = model.Package.get(str(given)) or package
    if package is not None and package.type == DATASET_TYPE:
        return _refusal()
    return _next(next_auth, context, data_dict)


def _bulk(next_auth: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    ids = [str(one) for one in (data_dict or {}).get("datasets") or ()]
    query = sa.select(model.Package.id).where(
        sa.or_(model.Package.id.in_(ids), model.Package.name.in_(ids)), model.Package.type == DATASET_TYPE
    )
    if ids and session().execute(query.limit(1)).first():
        return _refusal()
    return _next(next_auth, context, data_dict)


@tk.chained_auth_function
@tk.auth_sysadmins_check
def bulk_update_public(next_auth: Any, context: Context, data_dict: DataDict | None = None) -> AuthResult:
    """CKAN's, refused as soon as one of the datasets is a use case."""
    return _bulk(next_auth, context, data_dict)


@tk.chained_auth_function
@tk.auth_sysadmins_check
def bulk_update_private(next_auth: Any, context: Context, data_dict: DataDict | None = None) -> AuthResult:
    """CKAN's, refused as soon as one of the datasets is a use case."""
    return _bulk(next_auth, context, data_dict)
