"""What a target of delivery is, and how an outside answer is understood: pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ckanext.dinamis_relais.tables import Column

#: Answers that pass by themselves: try again later (design, 6).
PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 508})
#: Answers that mean our credentials are wrong: more calls only make it worse.
STOPPING_STATUS = frozenset({401, 403})

FIRST_DELAY = 5.0
LONGEST_DELAY = 3600.0


class PassingError(Exception):
    """It did not work this time. ``retry_after``: seconds that the other side asked us to wait."""

    def __init__(self, message: str, retry_after: float | None = None):
        super().__init__(message)
        self.retry_after = retry_after


class StoppingError(Exception):
    """Our credentials are refused: the target stops until a person looks."""


class RefusedError(Exception):
    """The other side will never take this as it is: visible, retried by hand."""


@dataclass(frozen=True)
class Parcel:
    """The present state of one row, ready to leave.

    :ivar target: the target's name
    :ivar id: the row's id
    :ivar version: version that it holds
    :ivar poll: True when only the other side's answer is asked for
    :ivar body: what leaves, JSON for the contract, a rendered message for mail
    """

    target: str
    id: str
    version: int
    poll: bool
    body: dict[str, Any] = field(repr=False)

    @property
    def idempotency_key(self) -> str:
        """Same state, same key: a repeated call is told from a new one."""
        return f"{self.target}-{self.id}-{self.version}"


@dataclass(frozen=True)
class Said:
    """What DINAMIS said of one thing of a grouped mail, as a super-référent recorded it.

    :ivar key: this answer's own name: the same is never taken over twice
    :ivar refused: DINAMIS says no; else it confirms
    :ivar words: its answer, or why not
    :ivar reference: its reference, if any
    :ivar actor: who recorded it, as in ``journal.record``
    """

    key: str
    refused: bool
    words: str
    reference: str
    actor: str


@dataclass(frozen=True)
class Group:
    """How rows of a target leave together where DINAMIS has no service (transport ``dossier``).

    What goes out is in French, as the contract is: DINAMIS reads it, whatever the site's language.

    :ivar stem: name of the ZIP, of its table and of its JSON (``comptes``)
    :ivar mail: the message that carries it
    :ivar columns: of the table, one row a thing
    :ivar cells: (row, what the contract carries) → cells, no more of a person than the contract has
    :ivar extras: {position: what the contract carries} → further files of the ZIP, by their names
    :ivar awaits: whether DINAMIS is expected to confirm the row's present state
    :ivar settle: takes what DINAMIS said into the row (locked); in the caller's transaction, no network
    :ivar title: how the super-référent recognises a row
    :ivar page: endpoint of one thing's page, called with ``id``
    """

    stem: str
    mail: str
    columns: tuple[Column, ...]
    cells: Callable[[Any, dict[str, Any]], Sequence[Any]]
    settle: Callable[[Any, Said], None]
    title: Callable[[Any], str]
    page: str
    extras: Callable[[dict[int, dict[str, Any]]], dict[str, bytes]] = lambda _bodies: {}
    awaits: Callable[[Any], bool] = lambda _row: True


@dataclass(frozen=True)
class Target:
    """How rows of one table are delivered.

    :ivar name: in lists and in the address of the contract
    :ivar model: table class with ``db.Deliverable``'s columns
    :ivar prepare: row → body, in a transaction, no network
    :ivar transport: parcel → answer, no transaction open; raises one of this module's errors
    :ivar apply: (row, answer) → None, in the transaction that records the outcome
    :ivar enabled: whether the worker delivers this target one by one as the site is configured
    :ivar group: how its rows leave together where there is no service to call; None when they never do
    """

    name: str
    model: Any
    prepare: Callable[[Any], dict[str, Any]]
    transport: Callable[[Parcel], dict[str, Any]]
    apply: Callable[[Any, dict[str, Any]], None]
    enabled: Callable[[], bool] = lambda: True
    group: Group | None = None


def delay(attempts: int, retry_after: float | None = None) -> float:
    """Seconds until the next attempt: doubled each time, with jitter, never before ``Retry-After``.

    :param attempts: attempts made so far, at least 1
    """
    backoff = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts - 1, 12))
    jittered = backoff * random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, guards nothing
    return max(jittered, retry_after or 0.0)


def check_status(status: int, text: str, retry_after: str | None) -> None:
    """Turn an HTTP status into what the worker does next (design, 6).

    :raises PassingError: 408, 425, 429, 5xx
    :raises StoppingError: 401, 403
    :raises RefusedError: any other 4xx
    """
    if status in PASSING_STATUS or status >= 500:
        wait = float(retry_after) if retry_after and retry_after.isdigit() else None
        raise PassingError(f"HTTP {status}", wait)
    if status in STOPPING_STATUS:
        raise StoppingError(f"HTTP {status}: our token is not accepted. Check gateway.token.")
    if status >= 400:
        raise RefusedError(f"HTTP {status}: {text[:500]}")
