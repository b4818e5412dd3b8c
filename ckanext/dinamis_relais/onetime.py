"""One-time links that are mailed, whatever they open: found by their token, of which only the hash is kept."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa

from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway.secrets import token_hash


def by_token(model: Any, token: Any, *where: Any, lock: bool = False) -> Any:
    """The link of a token.

    :param model: table class with ``token_hash``, ``expires_at``, ``used_at``, ``revoked_at``
    :param where: further conditions, for a table that holds links of several kinds
    :param lock: True to hold its row, read anew, until the transaction ends
    :raises toolkit.ObjectNotFound: no such link; says nothing of what exists
    """
    query = sa.select(model).where(model.token_hash == token_hash(str(token)), *where)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    link = session().execute(query).scalar_one_or_none()
    if link is None:
        raise tk.ObjectNotFound(tk._("This link is not valid. Open it from the mail, whole."))
    return link


def status(link: Any) -> str:
    """``used``, ``revoked``, ``expired`` or ``open``."""
    if link.used_at:
        return "used"
    if link.revoked_at:
        return "revoked"
    return "expired" if link.expires_at <= utcnow() else "open"
