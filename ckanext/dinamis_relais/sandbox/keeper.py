"""What the signing service and the identity provider remember: codes, tokens and keys in one SQLite file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS secrets (
    kind TEXT NOT NULL, name TEXT NOT NULL, ends REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name));
"""


def digest(word: str) -> str:
    """What is kept of a secret: enough to recognise it, not to use it."""
    return hashlib.sha256(word.encode()).hexdigest()


class Keeper:
    """Secrets of several kinds, each with its end; safe across threads because each use has its own connection.

    :param store: SQLite file, made with its folder when absent
    """

    def __init__(self, store: Path):
        store.parent.mkdir(parents=True, exist_ok=True)
        self.store = store
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.store, timeout=10, isolation_level=None)
        try:
            yield db
        finally:
            db.close()

    def put(self, kind: str, name: str, seconds: float, body: dict[str, Any]) -> None:
        """Keep something for so many seconds; what has ended is forgotten."""
        with self._open() as db:
            db.execute("DELETE FROM secrets WHERE ends <= ?", (time.time(),))
            values = (kind, name, time.time() + seconds, json.dumps(body))
            db.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?)", values)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """What is kept under a name, None when it has ended."""
        sql = "SELECT body FROM secrets WHERE kind = ? AND name = ? AND ends > ?"
        with self._open() as db:
            row = db.execute(sql, (kind, name, time.time())).fetchone()
        return json.loads(row[0]) if row else None

    def change(self, kind: str, name: str, **values: Any) -> bool:
        """Change what is kept, its end stays.

        :returns: False when there is nothing (any more)
        """
        patch = "UPDATE secrets SET body = json_patch(body, ?) WHERE kind = ? AND name = ? AND ends > ?"
        with self._open() as db:
            return db.execute(patch, (json.dumps(values), kind, name, time.time())).rowcount == 1

    def drop(self, kind: str, name: str) -> bool:
        """Forget it now.

        :returns: True for the one caller that ended it
        """
        with self._open() as db:
            return db.execute("DELETE FROM secrets WHERE kind = ? AND name = ?", (kind, name)).rowcount == 1

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """All of a kind that have not ended, by name, oldest first."""
        sql = "SELECT name, body FROM secrets WHERE kind = ? AND ends > ? ORDER BY rowid"
        with self._open() as db:
            return {name: json.loads(body) for name, body in db.execute(sql, (kind, time.time()))}
