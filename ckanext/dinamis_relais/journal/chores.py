"""What the worker does for the journal."""

from __future__ import annotations

import time

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.journal import keeping, settle

__all__ = ["keep_journal", "settle_journal"]

#: Seconds between two looks: both are matters of days.
EVERY = 300.0
_last = [-EVERY]


def keep_journal() -> int:
    """Mail the newest hash when a day has begun, delete what is older than the rule of retention says.

    :returns: how much was done
    """
    if time.monotonic() - _last[0] < EVERY:
        return 0
    done = keeping.tell_head() + keeping.prune()
    if not done:
        _last[0] = time.monotonic()
    return done


def settle_journal() -> int:
    """Give the lines that were written since the last round their place in the chain.

    :returns: how many lines were moved
    """
    moved = settle()
    session().rollback()  # it only looked: no transaction stays open while the worker rests
    return moved
