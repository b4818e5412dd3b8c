"""A person links their DINAMIS login, accepts the licences, signs and downloads; quotas.

Other rooms call :func:`ended` in their own transaction when a person loses their last account, and :func:`held_on`
and :func:`erase` for personal data.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ended", "erase", "held_on"]


def ended(user_id: str, actor: str) -> None:
    """Unlink a person's DINAMIS login, since no account of theirs runs any more; the caller commits.

    Links that they received before stay good until their own end: they are the signing service's, not ours.

    :param actor: as in ``journal.record``
    """
    from ckanext.dinamis_relais.access.links import unlink

    unlink(user_id, actor, "account_ended")


def held_on(user_ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """What this room holds on a person: never a secret.

    :param user_ids: their CKAN logins
    :returns: lists by kind, times in UTC
    """
    from ckanext.dinamis_relais.access.personal import held_on as held

    return held(user_ids)


def erase(user_id: str, actor: str) -> None:
    """Erase what this room holds on a person; figures of downloads stay with their organisation, without a name.

    The caller commits.
    """
    from ckanext.dinamis_relais.access.personal import erase as wipe

    wipe(user_id, actor)
