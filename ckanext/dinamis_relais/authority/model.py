"""Grants: who holds a role of the relay, where, since when, until when."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import object_session

from ckanext.dinamis_relais.db import Base, column, moment, new_id, text, utcnow

#: Where a session keeps the grants that it has read.
KNOWN = "dinamis_grants"


class RoleGrant(Base):
    """One role of one user, for all organisations (``organization_id`` null) or for one.

    Never deleted: a grant that ends is revoked, so that the journal can always be read against it.
    """

    __tablename__ = "dinamis_role_grant"

    id = text(primary_key=True, default=new_id)
    user_id = text(nullable=False, index=True)
    role = text(nullable=False)
    organization_id = text(index=True)
    granted_by = text(nullable=False)
    granted_at = moment(nullable=False, default=utcnow)
    expires_at = moment()
    revoked_at = moment()
    revoked_by = text()

    __table_args__ = (
        sa.Index(
            "dinamis_role_grant_once",
            "user_id",
            "role",
            sa.func.coalesce(column("organization_id", sa.UnicodeText), ""),
            unique=True,
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )


@event.listens_for(RoleGrant, "after_insert")
@event.listens_for(RoleGrant, "after_update")
def _read_anew(_mapper: Any, _connection: Any, grant: RoleGrant) -> None:
    written_by = object_session(grant)
    if written_by is not None:
        written_by.info.pop(KNOWN, None)
