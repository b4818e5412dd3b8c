"""The operator's own words for the mails: every text checked before it is saved, every version kept.

The mailer asks :func:`current`, and nothing else of this room.
"""

from __future__ import annotations

__all__ = ["current"]


def current(name: str, language: str) -> tuple[str, str] | None:
    """Subject and text of a mail as the operator has written them; None for the shipped ones.

    :param name: of a template under ``mails/``
    :param language: ``fr`` or ``en``
    """
    from ckanext.dinamis_relais.wording import store

    newest = store.newest(name, language)
    return (newest.subject, newest.body) if newest is not None and newest.body else None
