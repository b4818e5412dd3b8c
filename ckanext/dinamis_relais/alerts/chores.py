"""What the worker does for those who watch a territory: once a day, from the hour of the configuration on."""

from __future__ import annotations

import logging
import time

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.web import as_request

__all__ = ["tell_new_images"]

log = logging.getLogger(__name__)

#: Seconds between two looks for people whose mail is due.
EVERY = 60.0
_last = [-EVERY]


def tell_new_images() -> int:
    """Write to those over whose territories new images came; some people a round.

    :returns: how many people were looked for
    """
    if time.monotonic() - _last[0] < EVERY:
        return 0
    from ckanext.dinamis_relais.alerts import rules, telling
    from ckanext.dinamis_relais.db import utcnow

    done = 0
    try:
        with as_request(mailer.locale()):
            day = rules.day_of(utcnow(), tk.h.get_display_timezone(), config.alerts_hour())
            done = telling.tell_some(day)
    except SQLAlchemyError:
        # The scene store is away: nobody was looked for, the next look finds them; the worker's other work goes on.
        log.exception("alerts: nobody could be told of new images")
        model.Session.rollback()
    if not done:
        _last[0] = time.monotonic()
    return done
