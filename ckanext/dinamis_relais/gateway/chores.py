"""What the worker does for grouped mails: those of the day leave when their hour has come."""

from __future__ import annotations

import time

from ckanext.dinamis_relais.gateway import mailer, sendings
from ckanext.dinamis_relais.web import as_request

__all__ = ["send_grouped"]

#: Seconds between two looks: the hour is not a matter of seconds.
EVERY = 60.0
_last = [-EVERY]


def send_grouped() -> int:
    """Let what is due leave for DINAMIS, grouped, each kind once a day.

    :returns: how many mails were written
    """
    if time.monotonic() - _last[0] < EVERY:
        return 0
    _last[0] = time.monotonic()
    with as_request(mailer.locale()):
        return sendings.send_due()
