"""What the worker does for linked logins: those that would soon end are renewed."""

from __future__ import annotations

import time

from ckanext.dinamis_relais.access.links import renew_soon

__all__ = ["renew_logins"]

#: Seconds between two looks: a login ends in days.
EVERY = 600.0
_last = [0.0]


def renew_logins() -> int:
    """Renew the DINAMIS logins that would end within days, each few minutes.

    :returns: how many
    """
    if time.monotonic() - _last[0] < EVERY:
        return 0
    _last[0] = time.monotonic()
    return renew_soon()
