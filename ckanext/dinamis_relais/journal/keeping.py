"""What happens to the journal with time: its newest hash leaves the house each day, its oldest lines end by a rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais import config, daily
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.journal import Event, record, settle
from ckanext.dinamis_relais.journal.model import JournalCheckpoint, JournalLine, JournalPrivate
from ckanext.dinamis_relais.overview.model import RollupCursor
from ckanext.dinamis_relais.transaction import one_commit

#: Lines that one round deletes: a short transaction each.
PORTION = 20_000


def head() -> tuple[int, str, dt.datetime] | None:
    """The newest line's number, hash and time; None while there is none."""
    settle()
    line = JournalLine
    row = session().execute(sa.select(line.id, line.hash, line.at).order_by(line.id.desc()).limit(1)).first()
    return tuple(row) if row else None


def tell_head() -> int:
    """Mail the newest hash to the operator, once a day; the mail and the note that it left are one transaction.

    :returns: how many messages were written: 0 or 1
    """
    address, found = config.operator_email(), head()
    if not address or found is None:
        return 0
    with one_commit():
        if not daily.first_today("journal_head", "journal"):
            return 0
        number, digest, at = found
        moment = at.astimezone(dt.timezone.utc).isoformat(timespec="seconds")
        values = {"number": number, "hash": digest, "at": moment, "day": moment[: len("2027-01-31")]}
        mailer.write("journal_head", address, "", ("journal", "journal", None), values)
    return 1


def _oldest_kept(days: int) -> Any:
    """The number up to which lines may go: old enough, counted, and never the newest, whose hash the next one needs."""
    line, db = JournalLine, session()
    newest = db.execute(sa.select(sa.func.max(line.id))).scalar() or 0
    counted = db.execute(sa.select(RollupCursor.line_id)).scalar() or 0
    before = utcnow() - dt.timedelta(days=days)
    old = db.execute(sa.select(sa.func.max(line.id)).where(line.at < before)).scalar() or 0
    return min(old, counted, newest - 1)


def prune(portion: int = PORTION) -> int:
    """Delete the oldest lines that the rule of retention no longer keeps; commits.

    The chain goes on from a checkpoint, which holds the hash of the last line deleted; the journal tells of it.

    :returns: how many lines were deleted; 0 when there is nothing more to do
    """
    days = config.journal_retention_days()
    if days <= 0:
        return 0
    with one_commit():
        first = session().execute(sa.select(sa.func.min(JournalLine.id))).scalar() or 1
        last = min(_oldest_kept(days), first + portion - 1)
        if last < first:
            return 0
        kept = session().execute(sa.select(JournalLine).where(JournalLine.id == last)).scalar_one()
        values = {"line_id": last, "hash": kept.hash, "last_at": kept.at, "pruned_at": utcnow()}
        session().execute(sa.delete(JournalCheckpoint))
        session().execute(sa.insert(JournalCheckpoint).values(**values))
        gone = {"synchronize_session": False}
        session().execute(sa.delete(JournalPrivate).where(JournalPrivate.line_id <= last).execution_options(**gone))
        session().execute(sa.delete(JournalLine).where(JournalLine.id <= last).execution_options(**gone))
        session().expunge(kept)
        record(Event.JOURNAL_PRUNED, "system", "journal", "journal", None, until=last, hash=values["hash"])
    return last - first + 1
