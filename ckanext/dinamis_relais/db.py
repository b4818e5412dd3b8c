"""What every room's tables share: identifiers, UTC time, the columns of something that must be delivered."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB

Base: Any = tk.BaseModel


def column(*args: Any, **kwargs: Any) -> Any:
    """A ``sqlalchemy.Column``; typed Any since SQLAlchemy 1.4 and 2.0 disagree on what an attribute is."""
    return sa.Column(*args, **kwargs)


def text(**kwargs: Any) -> Any:
    """A text column."""
    return column(sa.UnicodeText, **kwargs)


def moment(**kwargs: Any) -> Any:
    """A column of time with its zone; what we write is always UTC."""
    return column(sa.DateTime(timezone=True), **kwargs)


def json_column(**kwargs: Any) -> Any:
    """A JSONB column."""
    return column(JSONB, **kwargs)


def new_id() -> str:
    """A random UUID as text, CKAN's own form of identifier."""
    return str(uuid.uuid4())


def utcnow() -> dt.datetime:
    """Now, in UTC, with its zone."""
    return dt.datetime.now(dt.timezone.utc)


def isoformat(value: dt.datetime | dt.date | None) -> str | None:
    """RFC 3339 in UTC (``2026-11-23T22:00:00Z``), a plain date as such, None for None."""
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat()


def session() -> Any:
    """CKAN's scoped session: the one transaction of the request or of the job."""
    return model.Session


def locked(table: Any, id_: Any, missing: str) -> Any:
    """A row read anew and held until the transaction ends.

    :param missing: the sentence for who asked, when there is no such row
    :raises toolkit.ObjectNotFound: there is none
    """
    query = sa.select(table).where(table.id == id_).with_for_update().execution_options(populate_existing=True)
    row = session().execute(query).scalar_one_or_none()
    if row is None:
        raise tk.ObjectNotFound(missing)
    return row


class Deliverable:
    """Columns of a row whose present state is owed to someone outside (design, 6).

    ``version`` is raised by each change that matters outside; a row is due while ``delivered_version``
    is behind it. ``next_poll_at`` asks for the other side's answer once the row was delivered.
    """

    version = column(sa.Integer, nullable=False, default=0)
    delivered_version = column(sa.Integer, nullable=False, default=0)
    delivered_at = moment()
    attempts = column(sa.Integer, nullable=False, default=0)
    next_attempt_at = moment()
    next_poll_at = moment()
    lease_until = moment()
    failed_at = moment()
    last_error = text()

    def owe(self) -> None:
        """Raise the version: the present state is now due, whatever became of earlier attempts."""
        self.version = (self.version or 0) + 1
        self.attempts = 0
        self.next_attempt_at = utcnow()
        self.failed_at = None
        self.last_error = None
