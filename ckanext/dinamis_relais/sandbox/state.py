"""What the sandbox remembers: one SQLite file, safe for threads because each use has its own connection."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS applications (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, reference TEXT NOT NULL,
    received_at TEXT NOT NULL, decided_at TEXT, decided_by TEXT, reason TEXT);
CREATE TABLE IF NOT EXISTS memberships (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, received_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, reference TEXT NOT NULL,
    received_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS questions (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, reference TEXT NOT NULL,
    received_at TEXT NOT NULL, answers TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, reference TEXT NOT NULL,
    received_at TEXT NOT NULL, statuses TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, application_id TEXT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL, reply_to TEXT NOT NULL,
    subject TEXT NOT NULL, text TEXT NOT NULL, raw BLOB NOT NULL, received_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outages (service TEXT PRIMARY KEY, mode TEXT NOT NULL, until REAL);
"""
#: What ``count`` may count.
TABLES = frozenset({"applications", "memberships", "accounts", "questions", "requests", "mails"})


class State:
    """The sandbox's memory in one folder.

    :param folder: made when absent; holds ``sandbox.sqlite3``
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "sandbox.sqlite3"
        with self.read() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(SCHEMA)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading; every statement stands alone."""
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            yield db
        finally:
            db.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, the writer's lock taken at once: read-then-write is safe; an error undoes it all."""
        with self.read() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def count(self, table: str, where: str = "1") -> int:
        """How many rows a table holds.

        :param where: SQL condition written in the code, never a visitor's words
        :raises KeyError: unknown table
        """
        if table not in TABLES:
            raise KeyError(table)
        with self.read() as db:
            return db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]  # noqa: S608


def now() -> str:
    """The present time, ISO 8601, UTC, in seconds."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
