"""An active member asks for a new image; PIGMA answers from the archive or passes the request on to DINAMIS.

The room of accounts calls :func:`held_on` and :func:`erase`, the latter in its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["erase", "held_on"]


def held_on(user_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The requests of some logins with their statuses, for the export of what is held on a person."""
    from ckanext.dinamis_relais.imagery_requests.privacy import export

    return {"imagery_requests": export(user_ids)}


def erase(user_id: str, actor: str) -> int:
    """Erase a login's requests: texts, areas, messages that were mailed, and whose they were.

    :param actor: as in ``journal.record``
    :returns: how many requests; the caller commits
    """
    from ckanext.dinamis_relais.imagery_requests.privacy import erase_of

    return erase_of(user_id, actor)
