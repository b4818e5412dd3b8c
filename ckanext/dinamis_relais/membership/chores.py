"""What the worker does for membership: the day's reminders leave when their hour has come."""

from __future__ import annotations

import time

from ckanext.dinamis_relais import config, daily
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.membership import reminders
from ckanext.dinamis_relais.transaction import one_commit
from ckanext.dinamis_relais.web import as_request

__all__ = ["remind_daily"]

#: Seconds between two looks: the hour is not a matter of seconds.
EVERY = 60.0
_last = [-EVERY]


def remind_daily() -> int:
    """Send the reminders that are due, once a day, from the configured hour.

    :returns: how many left
    """
    if time.monotonic() - _last[0] < EVERY:
        return 0
    _last[0] = time.monotonic()
    with as_request(mailer.locale()):
        return remind()


def remind() -> int:
    """As :func:`remind_daily`, whenever it is called.

    The day counts as done after the last reminder: a worker that dies meanwhile is followed by the next, and none
    leaves twice, since each has a row of its own. The daily command does the same work, whatever the day's count.

    :returns: how many left
    """
    if not daily.begun(config.reminders_hour()):
        return 0
    if daily.done_today("reminders", "day"):
        session().rollback()  # it only looked: no transaction stays open while the worker rests
        return 0
    sent = reminders.remind_due()
    with one_commit():
        daily.first_today("reminders", "day")
    return sent
