"""When a mail about new images leaves, and to whom. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

#: A part of the map, beside the kinds of territories.
AREA = "area"
#: Territories that one person watches at most: more is a harvester's work, for which there is the STAC API.
MOST = 20
#: Scenes that a mail names for each territory; the rest are counted.
NAMED = 8
#: States of an account that keep the right to be written to.
_WRITTEN_TO = frozenset({"requested", "validated", "active"})

#: message → who receives it.
RECIPIENTS: dict[str, tuple[str, ...]] = {"new_images": ("person",)}


def day_of(now: dt.datetime, zone: dt.tzinfo, hour: int) -> dt.date:
    """The day whose mail is due: the present one from the hour on, before it the day before.

    :param now: aware time
    :param hour: 0 to 23, in the zone

    >>> paris = dt.timezone(dt.timedelta(hours=1))
    >>> day_of(dt.datetime(2027, 1, 31, 5, 59, tzinfo=dt.timezone.utc), paris, 7).isoformat()
    '2027-01-30'
    >>> day_of(dt.datetime(2027, 1, 31, 6, 0, tzinfo=dt.timezone.utc), paris, 7).isoformat()
    '2027-01-31'
    """
    return (now.astimezone(zone) - dt.timedelta(hours=hour)).date()


def may_receive(login: str, accounts: Collection[str]) -> bool:
    """Whether a person is written to: their login is active, and their accounts, if any, are not all at rest or over.

    :param login: state of the CKAN user
    :param accounts: states of the person's accounts

    >>> may_receive("active", []), may_receive("active", ["suspended"]), may_receive("active", ["closed", "active"])
    (True, False, True)
    >>> may_receive("deleted", [])
    False
    """
    return login == "active" and (not accounts or bool(_WRITTEN_TO & set(accounts)))
