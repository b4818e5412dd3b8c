"""News and events of DINAMIS and PIGMA, and who comes to an event.

The room of accounts calls :func:`personal_data` and :func:`erase_person`, the latter in its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["erase_person", "personal_data"]


def personal_data(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The registrations of some logins, for the export of what is held on a person."""
    from ckanext.dinamis_relais.news.registering import export

    return export(user_ids)


def erase_person(user_id: str, actor: str) -> int:
    """Cancel a login's registrations and forget whose they were.

    :param actor: as in ``journal.record``
    :returns: how many; the caller commits
    """
    from ckanext.dinamis_relais.news.registering import erase_of

    return erase_of(user_id, actor)
