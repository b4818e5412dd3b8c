"""Alerts: who watches a territory is told of its new images, by a feed or by mail.

The room of accounts calls :func:`held_on` and :func:`erase`, the latter in its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["erase", "held_on"]


def held_on(user_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What some logins watch and were told, for the export of what is held on a person."""
    from ckanext.dinamis_relais.alerts.privacy import export

    return export(user_ids)


def erase(user_id: str, actor: str) -> int:
    """Forget what a login watches.

    :param actor: as in ``journal.record``
    :returns: how many places; the caller commits
    """
    from ckanext.dinamis_relais.alerts.privacy import erase_of

    return erase_of(user_id, actor)
