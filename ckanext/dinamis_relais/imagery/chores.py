"""What the worker does around harvests: those that show no sign of life are ended, what they changed is made ready."""

from __future__ import annotations

import time
from typing import Any

import ckan.plugins as p

__all__ = ["end_stuck_harvests", "renew_coverage"]

#: Seconds between two looks.
EVERY = 60.0
_last = [0.0]
#: Seconds that the worker gives to the coverage of a territory at a time; a year that was begun is finished.
SLICE = 0.5


def end_stuck_harvests() -> int:
    """End harvests of imagery that are stuck, each minute; only on a site that harvests.

    :returns: how many
    """
    if not p.plugin_loaded("dinamis_relais_harvester") or time.monotonic() - _last[0] < EVERY:
        return 0
    from ckanext.dinamis_relais.imagery.watch import end_stuck

    _last[0] = time.monotonic()
    return end_stuck()


class _Renewal:
    """What is left to be looked at again, since the catalogue was last found changed."""

    def __init__(self) -> None:
        self.last, self.mark, self.left = -EVERY, "", list[tuple[str, str]]()

    def begin(self, engine: Any) -> None:
        """List the territories anew if scenes changed since they were last listed."""
        from ckanext.dinamis_relais.imagery import covering, kept_coverage

        self.last = time.monotonic()
        with engine.connect() as connection:
            mark = covering.mark(connection)
            if mark == self.mark or covering.listing(connection):
                return
        self.mark, self.left = mark, kept_coverage.looked_at()


_renewal = _Renewal()


def renew_coverage() -> int:
    """After a harvest, compute the years of the territories that people looked at: the next one need not wait.

    A territory a turn, of those whose outline is remembered; nobody outside is asked.

    :returns: how many territories were looked at
    """
    from ckanext.dinamis_relais.imagery import covering, territories
    from ckanext.dinamis_relais.imagery import model as scene_model

    engine = scene_model.engine()
    if not _renewal.left and time.monotonic() - _renewal.last >= EVERY:
        _renewal.begin(engine)
    if not _renewal.left:
        return 0
    place = territories.remembered(*_renewal.left[-1])
    if place is None or place.outline is None:
        _renewal.left.pop()
        return 1
    try:
        years = covering.of_territory(engine, place, whole=covering.NONE, patience=SLICE)
    except covering.TooMuch:
        years = []
    if all(year["share"] is not None for year in years):
        _renewal.left.pop()
    return 1
