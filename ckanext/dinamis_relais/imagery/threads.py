"""Python's own habits, set for threads that pass pages of scenes on to each other."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Objects made since the last search for garbage, for the next one: usually 700.
GARBAGE = 100_000
#: Seconds for which a thread goes on while others wait for their turn: usually 0.005. Whoever loads a page waits ten
#: times for its turn, to send the next part of it, and PostgreSQL with it.
TURN = 0.0005


@contextmanager
def in_turn() -> Iterator[None]:
    """Python's search for cycles of garbage held back, and threads that take shorter turns.

    Trees of JSON have no cycles. A page of scenes makes some 100,000 lists and dictionaries; at the usual threshold
    they are all looked through more than a hundred times, which costs a third of the time. Both hold for the whole
    process, until the block ends.
    """
    threshold, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(GARBAGE, *threshold[1:])
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        sys.setswitchinterval(turn)
