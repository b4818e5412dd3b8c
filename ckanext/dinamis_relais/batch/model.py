"""Batches and their rows."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, json_column, moment, new_id, text, utcnow


class Batch(Base):
    """One piece of work on many things, begun by a person, done by whoever holds its lease."""

    __tablename__ = "dinamis_batch"

    id = text(primary_key=True, default=new_id)
    kind = text(nullable=False)
    state = text(nullable=False, default="prepared", index=True)
    params = json_column(nullable=False, default=dict)
    locale = text(nullable=False, default="fr")
    created_by = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)
    started_at = moment()
    finished_at = moment()
    lease_until = moment()


class BatchRow(Base):
    """One thing of a batch. ``payload`` may hold a person's details: it is wiped once the row is done."""

    __tablename__ = "dinamis_batch_row"

    batch_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_batch.id", ondelete="CASCADE"), primary_key=True)
    position = column(sa.Integer, primary_key=True, autoincrement=False)
    subject = text(nullable=False, default="")
    payload = json_column()
    status = text(nullable=False, default="waiting")
    message = text(nullable=False, default="")
    object_id = text()
    done_at = moment()
