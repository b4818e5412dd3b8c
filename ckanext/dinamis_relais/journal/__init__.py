"""The audit journal: a line is written in the caller's transaction, or the thing did not happen.

It gets its number and its place in the chain of hashes after the commit (:mod:`settling`).
"""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate, JournalWaiting
from ckanext.dinamis_relais.journal.rules import COVERED, PRIVATE, Event, private_digest, stamp
from ckanext.dinamis_relais.journal.settling import lines, settle

__all__ = ["COVERED", "Event", "as_mapping", "erase_private", "lines", "record", "settle"]


#: One statement for all lines: making it anew costs more than running it.
_WRITE: Any = sa.insert(JournalWaiting.__table__).inline()


def record(
    event: Event,
    actor: str,
    object_type: str,
    object_id: str,
    organization_id: str | None = None,
    private: dict[str, str | None] | None = None,
    **data: Any,
) -> None:
    """Write one line in the present transaction; the caller commits. It is read by :func:`lines` from then on.

    :param event: what happened
    :param actor: a CKAN user's id, or ``signatory``, ``dinamis``, ``system`` where no user acted
    :param object_type: kind of thing (``application``, ``account`` …)
    :param object_id: its id
    :param organization_id: the organisation it belongs to, if any
    :param private: texts that somebody typed (reasons), by name; the empty ones are left out. The line covers only
        their salted digest (``data["private"]``), so that :func:`erase_private` leaves the chain whole
    :param data: states, versions, hashes; never a person's details, a typed text, a link or a secret
    """
    texts = {name: value for name, value in (private or {}).items() if value}
    salt = secrets.token_hex(16) if texts else None
    if salt:
        data[PRIVATE] = private_digest(salt, texts)
    values = {
        "at": utcnow(), "actor": actor, "event": event.value, "object_type": object_type, "object_id": object_id,
        "organization_id": organization_id, "data": data, "private_salt": salt,
        "private_data": texts or None,
    }  # fmt: skip
    db = session()
    db.flush()
    # No lock and no number here: writers would wait for one another until each one's commit.
    db.execute(_WRITE, values)


def erase_private(object_type: str, object_id: str) -> int:
    """Erase the private texts of all lines about a thing, in the present transaction; the caller commits.

    The lines stay, and so does the chain: without its salt, the digest that is left tells nothing of the text.

    :param object_type: kind of thing, as in :func:`record`
    :param object_id: its id
    :returns: how many lines lost their texts
    """
    settle()
    line, wait, text = JournalLine.__table__, JournalWaiting.__table__, JournalPrivate.__table__
    # Those that wait first, the present transaction's own among them: one that is settled meanwhile is found below.
    ours = wait.c.object_type == object_type, wait.c.object_id == object_id, wait.c.private_salt.is_not(None)
    none = {"private_salt": sa.null(), "private_data": sa.null()}
    early = session().execute(sa.update(wait).where(*ours).values(none)).rowcount
    about = sa.select(line.c.id).where(line.c.object_type == object_type, line.c.object_id == object_id)
    return early + session().execute(sa.delete(text).where(text.c.line_id.in_(about))).rowcount


def as_mapping(row: Any) -> dict[str, Any]:
    """A stored line as :func:`journal.rules.verify` reads it.

    :param row: the columns of the journal; with ``private_salt`` and ``private_data``, those are verified too
    """
    line = {key: getattr(row, key) for key in COVERED}
    private = {key: getattr(row, key, None) for key in ("private_salt", "private_data")}
    return {**line, **private, "at": stamp(row.at), "previous_hash": row.previous_hash, "hash": row.hash}
