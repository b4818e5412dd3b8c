"""A person asks, PIGMA answers, and asks DINAMIS where it must.

The room of accounts calls :func:`personal_data` and :func:`erase_person`, the latter in its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["erase_person", "personal_data"]


def personal_data(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The questions of some logins with their threads, for the export of what is held on a person."""
    from ckanext.dinamis_relais.questions.privacy import export

    return export(user_ids)


def erase_person(user_id: str, actor: str) -> int:
    """Erase the questions of a login: texts, files, messages that were mailed, and whose they were.

    :param actor: as in ``journal.record``
    :returns: how many questions; the caller commits
    """
    from ckanext.dinamis_relais.questions.privacy import erase_of

    return erase_of(user_id, actor)
