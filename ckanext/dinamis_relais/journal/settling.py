"""Lines get their number and their place in the chain after the commit, in batches under one lock.

A line is written in its caller's transaction among those that wait (:class:`JournalWaiting`), without a lock: writers
never wait for one another. Whoever settles moves the committed ones, in the order in which they were written, to the
end of the chain. The worker does it at each of its rounds (two seconds apart), and whatever reads the journal does it
first: a reader sees all that was committed before.

- Nothing is lost by a crash: a line waits, or is in the chain, by one transaction.
- A transaction that took its time gets later numbers than one that began after it and ended before: a line's ``at`` is
  the time at which it was written, and may lie a little before that of the line above. Two changes of one thing come in
  their order, since the second waits for the first's lock on the thing.
- Between its commit and its place in the chain a line is protected by the database's refusal of changes alone. Who may
  put that aside may also rewrite the end of the chain: both are found only from the moment at which a hash was noted
  elsewhere, as by the daily mail.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.journal.model import JournalLine, JournalWaiting
from ckanext.dinamis_relais.journal.rules import COVERED, GENESIS, digest, stamp

#: Key of the advisory lock that orders those who settle; held until their transaction ends. ASCII "DINAMISJ".
_LOCK = 0x44494E414D49534A
#: Lines that one transaction moves.
PORTION = 2000
#: Seconds after which a line that still waits says that no worker settles.
LONG = 60.0

_WAITING: Any = JournalWaiting.__table__
_LINE: Any = JournalLine.__table__
_COLUMNS = ", ".join(COVERED[1:])
_MOVE = f"""
WITH placed AS (SELECT * FROM unnest(CAST(:serials AS bigint[]), CAST(:numbers AS bigint[]), CAST(:previous AS text[]),
  CAST(:hashes AS text[])) AS p(serial, number, previous_hash, hash)),
moved AS (DELETE FROM dinamis_journal_waiting w USING placed p WHERE w.serial = p.serial
  RETURNING p.number AS id, {_COLUMNS}, p.previous_hash, p.hash, w.private_salt, w.private_data),
texts AS (INSERT INTO dinamis_journal_private (line_id, salt, data)
  SELECT id, private_salt, private_data FROM moved WHERE private_salt IS NOT NULL)
INSERT INTO dinamis_journal (id, {_COLUMNS}, previous_hash, hash)
SELECT id, {_COLUMNS}, previous_hash, hash FROM moved ORDER BY id
"""  # noqa: S608  # our own names


def _portion(connection: Any) -> int:
    """Move the next lines in the connection's transaction, and hash what the database holds of them."""
    # A lock that does not come is an error to be seen, not a page that hangs.
    connection.execute(sa.text("SET LOCAL lock_timeout = '10s'"))
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    # A line whose text is being erased is left for the next time: that transaction may be our caller's own.
    waiting = sa.select(_WAITING).order_by(_WAITING.c.serial).limit(PORTION).with_for_update(skip_locked=True)
    rows = connection.execute(waiting).all()
    if not rows:
        return 0
    last = connection.execute(sa.select(_LINE.c.id, _LINE.c.hash).order_by(_LINE.c.id.desc()).limit(1)).first()
    number, before = tuple(last) if last else (0, GENESIS)
    hashes = [before]
    for id_, row in enumerate(rows, number + 1):
        line = {key: getattr(row, key) for key in COVERED[1:]} | {"id": id_, "at": stamp(row.at)}
        hashes.append(digest(line, hashes[-1]))
    values = {
        "serials": [row.serial for row in rows], "numbers": list(range(number + 1, number + 1 + len(rows))),
        "previous": hashes[:-1], "hashes": hashes[1:],
    }  # fmt: skip
    connection.execute(sa.text(_MOVE), values)
    return len(rows)


def settle_all() -> int:
    """Give all committed lines their place, by a connection of its own; each portion is one short transaction.

    :returns: how many lines were moved
    """
    total = 0
    engine: Any = cast(Any, model.meta).engine
    with engine.connect() as connection:
        while True:
            with connection.begin():
                moved = _portion(connection)
            total += moved
            if moved < PORTION:
                return total


def settle() -> int:
    """The same, if there is anything to do: what reads the journal calls this first.

    Lines of the caller's own transaction go on waiting until it commits.

    :returns: how many lines were moved
    """
    if session().execute(sa.select(_WAITING.c.serial).limit(1)).first() is None:
        return 0
    return settle_all()


def lines() -> Any:
    """A ``select`` of the journal's lines, all that was committed until now among them."""
    settle()
    return sa.select(JournalLine)


def waiting() -> tuple[int, dt.datetime | None]:
    """How many lines wait for their place in the chain, and when the oldest of them was written."""
    row = session().execute(sa.select(sa.func.count(), sa.func.min(_WAITING.c.at))).one()
    return row[0], row[1]
