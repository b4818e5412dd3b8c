"""What a batch is made of: pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: A batch: prepared (a dry run to be read), running (or waiting for a worker), finished, cancelled before it began.
STATES = ("prepared", "running", "finished", "cancelled")
#: A row: to do, done, nothing to do, not possible (told why), wrong in itself (never tried).
WAITING, DONE, UNCHANGED, FAILED, INVALID = "waiting", "done", "unchanged", "failed", "invalid"


@dataclass(frozen=True)
class Row:
    """One thing to do.

    :ivar subject: how a person recognises it (a name, a line of a file)
    :ivar payload: what its handler needs; wiped once it is done
    :ivar status: ``waiting``, or what a dry run found: ``unchanged``, ``invalid``
    :ivar message: why, for a person
    :ivar object_id: the thing that it is about, if it exists already
    """

    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    status: str = WAITING
    message: str = ""
    object_id: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a row: ``done`` or ``unchanged``, with a sentence; failures are raised."""

    status: str = DONE
    message: str = ""
    object_id: str | None = None


@dataclass(frozen=True)
class Handler:
    """A kind of work in quantity.

    :ivar name: kept with the batch
    :ivar run: (payload, params, context of the person who began it) → outcome; commits by itself, may be repeated
    :ivar title: params → words of the page's title
    :ivar back: endpoint of the page that the work was begun from
    :ivar link: endpoint of one thing's page, called with ``id``
    :ivar effect: number of rows → the effect in words, for the confirmation (``12 signatures, 12 mails``)
    """

    name: str
    run: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], Outcome]
    title: Callable[[dict[str, Any]], str]
    back: str
    link: str | None = None
    effect: Callable[[int], str] | None = None


def seconds_left(done: int, total: int, elapsed: float) -> int | None:
    """Seconds that the rest takes at the pace so far; None before there is a pace.

    :param elapsed: seconds since it began
    """
    if not done or done >= total:
        return None
    return max(1, round(elapsed / done * (total - done)))
