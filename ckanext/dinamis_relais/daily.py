"""What is done once a day, whoever asks and however often: a row of which the database lets only one be written."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import new_id, session, utcnow
from ckanext.dinamis_relais.membership.model import Reminder


def now_here() -> dt.datetime:
    """Now by the relay's clock (``clock_zone``, Europe/Paris by default)."""
    return utcnow().astimezone(ZoneInfo(config.clock_zone()))


def begun(hour: int) -> bool:
    """Whether the day's hour has come; a negative one never comes.

    :param hour: of the relay's clock, 0 to 23
    """
    return 0 <= hour <= now_here().hour


def done_today(what: str, about: str) -> bool:
    """Whether this day's turn was taken already.

    :param what, about: as in :func:`first_today`
    """
    query = sa.select(Reminder.id).where(
        Reminder.kind == what, Reminder.object_id == about, Reminder.occasion == now_here().date().isoformat()
    )
    return session().execute(query).first() is not None


def first_today(what: str, about: str) -> bool:
    """Whether this day's turn is still to be taken; it is ours then, whoever else asks, once the caller commits.

    :param what: kind of the turn
    :param about: the thing that it is about
    """
    values = {"id": new_id(), "kind": what, "object_id": about, "occasion": now_here().date().isoformat(),
              "sent_at": utcnow()}  # fmt: skip
    made = session().execute(insert(Reminder.__table__).values(**values).on_conflict_do_nothing())
    return made.rowcount == 1
