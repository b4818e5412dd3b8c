"""The journal: append-only (the database refuses to change a line), chained by hash; beside it, what can be erased."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, json_column, moment, text


class JournalLine(Base):
    """One thing that happened. ``data`` holds identifiers and states, never a person's details.

    ``data["private"]`` is the digest of the line's :class:`JournalPrivate`, which may be gone.
    """

    __tablename__ = "dinamis_journal"

    id = column(sa.BigInteger, primary_key=True, autoincrement=False)
    at = moment(nullable=False)
    actor = text(nullable=False, index=True)
    event = text(nullable=False, index=True)
    object_type = text(nullable=False)
    object_id = text(nullable=False, index=True)
    organization_id = text(index=True)
    data = json_column(nullable=False)
    previous_hash = text(nullable=False)
    hash = text(nullable=False)


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
