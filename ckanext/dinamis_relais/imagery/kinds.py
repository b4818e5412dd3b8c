"""How a scene is counted: by its year, its satellite, and a class of clouds. Pure."""

from __future__ import annotations

import datetime as dt

#: Upper ends of the classes of cloud cover, in percent: what the explorer offers. Above the last one, 100.
CLOUDS = (5, 10, 20, 50)

#: Year (UTC), platform, and class of clouds, None when they are unknown.
Kind = tuple[int, str | None, int | None]


def kind(moment: dt.datetime, platform: str | None, cloud: float | None) -> Kind:
    """The kind of a scene.

    :param moment: in UTC
    :param cloud: percent
    """
    return moment.year, platform, None if cloud is None else next((step for step in CLOUDS if cloud <= step), 100)
