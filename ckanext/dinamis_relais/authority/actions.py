"""Granting, revoking and listing the roles of the relay."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.authority.model import RoleGrant
from ckanext.dinamis_relais.authority.rules import check_grant
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

__all__ = ["dinamis_role_grant", "dinamis_role_list", "dinamis_role_revoke"]


def _grant_schema() -> dict[str, Any]:
    return {
        "user": [validator("not_empty"), validator("unicode_safe"), validator("convert_user_name_or_id_to_id")],
        "role": [validator("not_empty"), validator("unicode_safe")],
        "organization_id": [validator("ignore_missing"), validator("unicode_safe"),
                            validator("convert_group_name_or_id_to_id")],
        "expires_at": [validator("ignore_missing"), validator("isodate")],
    }  # fmt: skip


def _dictize(grant: RoleGrant) -> dict[str, Any]:
    user = model.User.get(grant.user_id)
    organization = model.Group.get(grant.organization_id) if grant.organization_id else None
    return {
        "id": grant.id,
        "user_id": grant.user_id,
        "user_name": user.name if user else None,
        "role": grant.role,
        "organization_id": grant.organization_id,
        "organization_title": organization.title if organization else None,
        "granted_by": grant.granted_by,
        "granted_at": isoformat(grant.granted_at),
        "expires_at": isoformat(grant.expires_at),
        "revoked_at": isoformat(grant.revoked_at),
    }


def grant_role(user_id: str, role: str, organization_id: str | None, actor: str, expires_at: Any = None) -> RoleGrant:
    """Add a grant and its journal line to the present transaction, once; the caller commits."""
    db = session()
    found = db.execute(
        sa.select(RoleGrant).where(
            RoleGrant.user_id == user_id,
            RoleGrant.role == role,
            RoleGrant.organization_id == organization_id if organization_id else RoleGrant.organization_id.is_(None),
            RoleGrant.revoked_at.is_(None),
        )
    ).scalar_one_or_none()
    if found:
        found.expires_at = expires_at
        return found
    grant = RoleGrant(
        user_id=user_id, role=role, organization_id=organization_id, granted_by=actor, expires_at=expires_at
    )
    db.add(grant)
    db.flush()
    record(Event.ROLE_GRANTED, actor, "role", grant.id, organization_id, role=role, user_id=user_id)
    return grant


def dinamis_role_grant(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Grant a role of the relay. Granting what is already held changes its end only.

    :param user: name or id
    :param role: ``super_referent``, ``executive_board`` or ``referent``
    :param organization_id: for ``referent``, name or id
    :param expires_at: end of the grant, optional
    """
    tk.check_access("dinamis_role_grant", context, data_dict)
    data = validated(data_dict, _grant_schema(), context)
    problems = check_grant(data["role"], data.get("organization_id"))
    if problems:
        raise tk.ValidationError({field: [text] for field, text in problems.items()})
    grant = grant_role(
        data["user"], data["role"], data.get("organization_id"), actor_of(context), data.get("expires_at")
    )
    session().commit()
    return _dictize(grant)


def dinamis_role_revoke(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """End a grant now; its row stays.

    :param id: id of the grant
    """
    tk.check_access("dinamis_role_revoke", context, data_dict)
    grant = session().get(RoleGrant, tk.get_or_bust(data_dict, "id"), with_for_update=True)
    if grant is None:
        raise tk.ObjectNotFound(tk._("This grant does not exist."))
    if grant.revoked_at is None:
        grant.revoked_at, grant.revoked_by = utcnow(), actor_of(context)
        record(Event.ROLE_REVOKED, grant.revoked_by, "role", grant.id, grant.organization_id,
               role=grant.role, user_id=grant.user_id)  # fmt: skip
        session().commit()
    return _dictize(grant)


@tk.side_effect_free
def dinamis_role_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Grants that run, the newest first.

    :param q: a role
    :param organization_id: only this organisation's
    :returns: ``{"count", "results"}``
    """
    tk.check_access("dinamis_role_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    query = sa.select(RoleGrant).where(RoleGrant.revoked_at.is_(None))
    if params.get("q"):
        query = query.where(RoleGrant.role == params["q"])
    if params.get("organization_id"):
        query = query.where(RoleGrant.organization_id == params["organization_id"])
    return listed(query, params, [RoleGrant.granted_at.desc(), RoleGrant.id], _dictize)
