"""The audit journal: a line is written in the caller's transaction, or the thing did not happen."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal.rules import COVERED, GENESIS, PRIVATE, Event, digest, private_digest

__all__ = ["COVERED", "Event", "as_mapping", "erase_private", "record"]

#: Key of the advisory lock that orders writers; held until their transaction ends. ASCII "DINAMISJ".
_LOCK = 0x44494E414D49534A


def stamp(value: dt.datetime) -> str:
    """A line's time as the hash covers it: RFC 3339, UTC, microseconds."""
    return value.astimezone(dt.timezone.utc).isoformat(timespec="microseconds")


def record(
    event: Event,
    actor: str,
    object_type: str,
    object_id: str,
    organization_id: str | None = None,
    private: dict[str, str | None] | None = None,
    **data: Any,
) -> None:
    """Append one line in the present transaction; the caller commits.

    :param event: what happened
    :param actor: a CKAN user's id, or ``signatory``, ``dinamis``, ``system`` where no user acted
    :param object_type: kind of thing (``application``, ``account`` …)
    :param object_id: its id
    :param organization_id: the organisation it belongs to, if any
    :param private: texts that somebody typed (reasons), by name; the empty ones are left out. The line covers only
        their salted digest (``data["private"]``), so that :func:`erase_private` leaves the chain whole
    :param data: states, versions, hashes; never a person's details, a typed text, a link or a secret
    """
    from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate

    texts = {name: value for name, value in (private or {}).items() if value}
    salt = secrets.token_hex(16)
    if texts:
        data[PRIVATE] = private_digest(salt, texts)
    db = session()
    # Two writers must not follow the same line; the lock orders them and ends with the transaction.
    db.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    db.flush()
    last = db.execute(sa.select(JournalLine.id, JournalLine.hash).order_by(JournalLine.id.desc()).limit(1)).first()
    at = utcnow()
    line: dict[str, Any] = {
        "id": (last[0] if last else 0) + 1,
        "at": stamp(at),
        "actor": actor,
        "event": event.value,
        "object_type": object_type,
        "object_id": object_id,
        "organization_id": organization_id,
        "data": data,
    }
    previous = last[1] if last else GENESIS
    values = {**line, "at": at, "previous_hash": previous, "hash": digest(line, previous)}
    db.execute(sa.insert(JournalLine).values(**values))
    if texts:
        db.execute(sa.insert(JournalPrivate).values(line_id=line["id"], salt=salt, data=texts))


def erase_private(object_type: str, object_id: str) -> int:
    """Erase the private texts of all lines about a thing, in the present transaction; the caller commits.

    The lines stay, and so does the chain: without its salt, the digest that is left tells nothing of the text.

    :param object_type: kind of thing, as in :func:`record`
    :param object_id: its id
    :returns: how many lines lost their texts
    """
    from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate

    lines, texts = JournalLine.__table__, JournalPrivate.__table__
    about = sa.select(lines.c.id).where(lines.c.object_type == object_type, lines.c.object_id == object_id)
    return session().execute(sa.delete(texts).where(texts.c.line_id.in_(about))).rowcount


def as_mapping(row: Any) -> dict[str, Any]:
    """A stored line as :func:`journal.rules.verify` reads it.

    :param row: the columns of the journal; with ``private_salt`` and ``private_data``, those are verified too
    """
    line = {key: getattr(row, key) for key in COVERED}
    private = {key: getattr(row, key, None) for key in ("private_salt", "private_data")}
    return {**line, **private, "at": stamp(row.at), "previous_hash": row.previous_hash, "hash": row.hash}
