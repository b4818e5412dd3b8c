"""What the room holds on a person: given to them, and erased."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.access import links
from ckanext.dinamis_relais.access.identity import as_dict
from ckanext.dinamis_relais.access.model import BasketScene, Download, IdentityLink, LicenceAcceptance
from ckanext.dinamis_relais.db import isoformat, session


def _rows(table: Any, user_ids: set[str]) -> list[Any]:
    return list(session().execute(sa.select(table).where(table.user_id.in_(user_ids))).scalars())


def held_on(user_ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """As the room's ``held_on``."""
    return {
        "dinamis_logins": [as_dict(row) for row in _rows(IdentityLink, user_ids)],
        "licences": [
            {"licence": row.licence, "version": row.version, "accepted_at": isoformat(row.accepted_at)}
            for row in _rows(LicenceAcceptance, user_ids)
        ],
        "downloads": [
            {"collection": row.collection, "item_id": row.item_id, "asset_key": row.asset_key, "bytes": row.bytes,
             "theme": row.theme, "signed_at": isoformat(row.signed_at)}
            for row in _rows(Download, user_ids)
        ],
        "basket": [{"collection": row.collection, "id": row.item_id} for row in _rows(BasketScene, user_ids)],
    }  # fmt: skip


def erase(user_id: str, actor: str) -> None:
    """As the room's ``erase``."""
    links.unlink(user_id, actor, "erased")
    for table in (LicenceAcceptance, BasketScene):
        session().execute(sa.delete(table).where(table.user_id == user_id).execution_options(synchronize_session=False))
    session().execute(
        sa.update(Download).where(Download.user_id == user_id).values(user_id=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
