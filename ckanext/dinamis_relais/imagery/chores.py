"""What the worker does for harvests: those that show no sign of life are ended."""

from __future__ import annotations

import time

import ckan.plugins as p

__all__ = ["end_stuck_harvests"]

#: Seconds between two looks.
EVERY = 60.0
_last = [0.0]


def end_stuck_harvests() -> int:
    """End harvests of imagery that are stuck, each minute; only on a site that harvests.

    :returns: how many
    """
    if not p.plugin_loaded("dinamis_relais_harvester") or time.monotonic() - _last[0] < EVERY:
        return 0
    from ckanext.dinamis_relais.imagery.watch import end_stuck

    _last[0] = time.monotonic()
    return end_stuck()
