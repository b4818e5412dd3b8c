"""A partner tells what it did with the images; PIGMA publishes it, and others find it by theme and by series.

The room of accounts calls :func:`held_on` and :func:`erase`, the latter in its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["erase", "held_on"]


def held_on(user_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The use cases that some logins wrote, for the export of what is held on a person."""
    from ckanext.dinamis_relais.use_cases.privacy import export

    return {"use_cases": export(user_ids)}


def erase(user_id: str, actor: str) -> int:
    """Forget who wrote a login's use cases; the texts are the organisation's and stay.

    :param actor: as in ``journal.record``
    :returns: how many; the caller commits
    """
    from ckanext.dinamis_relais.use_cases.privacy import erase_of

    return erase_of(user_id, actor)
