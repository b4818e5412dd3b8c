"""The journal: append-only (the database refuses to change a line), chained by hash; beside it, what can be erased.

A line is written to :class:`JournalWaiting` and moved to :class:`JournalLine` after its commit (:mod:`settling`).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ckanext.dinamis_relais.db import Base, column, json_column, moment, text


class JournalLine(Base):
    """One thing that happened. ``data`` holds identifiers and states, never a person's details.

    ``data["private"]`` is the digest of the line's :class:`JournalPrivate`, which may be gone.
    """

    __tablename__ = "dinamis_journal"
    __table_args__ = (sa.Index("dinamis_journal_organization", "organization_id", "id"),)

    id = column(sa.BigInteger, primary_key=True, autoincrement=False)
    at = moment(nullable=False)
    actor = text(nullable=False, index=True)
    event = text(nullable=False, index=True)
    object_type = text(nullable=False)
    object_id = text(nullable=False, index=True)
    organization_id = text()
    data = json_column(nullable=False)
    previous_hash = text(nullable=False)
    hash = text(nullable=False)


class JournalWaiting(Base):
    """A line that has no number yet: written in its caller's transaction, moved into the chain after the commit.

    ``private_salt`` and ``private_data`` are its :class:`JournalPrivate`, None when there are no texts, or none any
    more.
    No index but the key: a writer pays for each, and few lines wait.
    """

    __tablename__ = "dinamis_journal_waiting"

    serial = column(sa.BigInteger, primary_key=True)
    at = moment(nullable=False)
    actor = text(nullable=False)
    event = text(nullable=False)
    object_type = text(nullable=False)
    object_id = text(nullable=False)
    organization_id = text()
    data = json_column(nullable=False)
    private_salt = text()
    private_data = column(JSONB(none_as_null=True))


class JournalPrivate(Base):
    """Texts that somebody typed, beside their line: never changed, but erased when the person asks."""

    __tablename__ = "dinamis_journal_private"

    line_id = column(sa.BigInteger, primary_key=True, autoincrement=False)
    salt = text(nullable=False)
    data = json_column(nullable=False)


class JournalCheckpoint(Base):
    """The last line of those that a retention rule pruned, and its hash: the chain goes on from there."""

    __tablename__ = "dinamis_journal_checkpoint"

    line_id = column(sa.BigInteger, primary_key=True, autoincrement=False)
    hash = text(nullable=False)
    last_at = moment(nullable=False)
    pruned_at = moment(nullable=False)
