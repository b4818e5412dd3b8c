"""The worker's chores in turn: one that fails stops no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from ckan import model

log = logging.getLogger(__name__)

#: Seconds that a chore rests after a failure: its log stays readable, and what it misses is given time to come back.
REST = 10.0

#: Does some work that is due; returns how much.
Chore = Callable[[], int]


class Turns:
    """Chores of all rooms, each called in its turn.

    :param chores: what is due stays due when one of them fails
    :param clock: seconds, growing
    """

    def __init__(self, chores: Iterable[Chore], clock: Callable[[], float] = time.monotonic):
        self._chores, self._clock = list(chores), clock
        self._resting: dict[Chore, float] = {}

    def take(self) -> int:
        """Call each chore that does not rest; returns how much was done in all."""
        return sum(self._one(chore) for chore in self._chores if self._resting.get(chore, 0.0) <= self._clock())

    def _one(self, chore: Chore) -> int:
        try:
            return chore()
        except Exception:  # whatever one room does wrong, the other rooms' work goes on
            log.exception("%s.%s failed; it is tried again in %d s", chore.__module__, chore.__qualname__, REST)
            model.Session.rollback()
            self._resting[chore] = self._clock() + REST
            return 0
        finally:
            model.Session.remove()
