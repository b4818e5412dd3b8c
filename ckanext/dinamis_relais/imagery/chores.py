"""What the worker does around harvests: those that show no sign of life are ended, what they changed is made ready."""

from __future__ import annotations

import time
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais import config

__all__ = ["end_stuck_harvests", "renew_coverage"]

#: Seconds between two looks.
EVERY = 60.0
_last = [0.0]
#: Seconds that the worker gives to the coverage of a territory at a time; a year that was begun is finished.
SLICE = 0.5
#: Members that are asked for at once.
MEMBERS = 200


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
        self.due, self.mark, self.left = 0.0, "", list[tuple[str, str]]()

    def begin(self, engine: Any) -> None:
        """List the territories anew if scenes changed since they were last listed; the first to do stands last."""
        from ckanext.dinamis_relais.imagery import covering

        self.due = time.monotonic() + EVERY
        with engine.connect() as connection:
            mark = covering.mark(connection)
            if mark == self.mark or covering.listing(connection):
                return
        self.mark, self.left = mark, expected()[::-1]

    def unanswered(self) -> None:
        """Nobody says outlines now: those that are remembered are gone on with, the others wait for some minutes."""
        from ckanext.dinamis_relais.imagery import places, territories

        self.mark, self.due = "", time.monotonic() + places.KEEP_NOTHING
        self.left = [one for one in self.left if territories.remembered(*one)]


_renewal = _Renewal()


def expected() -> list[tuple[str, str]]:
    """Kind and code of the territories whose page keeps nobody waiting, the first to do first.

    What people looked at, the relay's départements, and what its members named as theirs.
    """
    from ckanext.dinamis_relais.imagery import kept_coverage

    ours = [("departement", code) for code in config.departments()]
    return list(dict.fromkeys([*kept_coverage.looked_at(), *ours, *_of_members()]))


def _of_members() -> list[tuple[str, str]]:
    """Of the active members; those that named no territory count for none."""
    found: list[dict[str, Any]] = []
    while True:
        answer = tk.get_action("dinamis_member_list")({"ignore_auth": True}, {"limit": MEMBERS, "offset": len(found)})
        found += answer["results"]
        if not answer["results"] or len(found) >= answer["count"]:
            return [(one["territory_kind"], one["territory_code"]) for one in found if one["territory_code"]]


def renew_coverage() -> int:
    """After a harvest, compute the years of the territories that are :func:`expected`: nobody need wait for them.

    A territory a turn, and the outline of one that was never asked for.

    :returns: how many territories were looked at
    """
    from ckanext.dinamis_relais.imagery import covering, places, territories
    from ckanext.dinamis_relais.imagery import model as scene_model

    engine = scene_model.engine()
    if not _renewal.left and time.monotonic() >= _renewal.due:
        _renewal.begin(engine)
    if not _renewal.left:
        return 0
    try:
        place = territories.read(*_renewal.left[-1])
    except places.PlaceUnavailable:
        _renewal.unanswered()
        return 1
    if place is None or place.outline is None:
        _renewal.left.pop()
        return 1
    try:
        years = covering.of_territory(engine, place, whole=covering.NONE, patience=SLICE, looked_at=False)
    except covering.TooMuch:
        years = []
    if all(year["share"] is not None for year in years):
        _renewal.left.pop()
    return 1
