"""The end dates of accounts: nobody presses a button for them."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from ckanext.dinamis_relais.accounts import effects
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import wake

log = logging.getLogger(__name__)

#: States from which an account expires, read from the machine.
ENDING = tuple(row.source for row in MACHINE if row.name == "expire")


def expire_due() -> int:
    """Expire the accounts whose last day has passed; each in a transaction of its own.

    Safe to run as often as wanted and by several at once: a row that another run holds is left to it, and one that
    cannot be expired holds up no other. Days are those of UTC, as in the machine's guard.

    :returns: how many accounts ended
    """
    db, ended = session(), 0
    query = sa.select(Account.id).where(Account.ends_on < utcnow().date(), Account.state.in_(ENDING))
    due = list(db.execute(query.order_by(Account.ends_on, Account.id)).scalars())
    db.rollback()
    for id_ in due:
        again = query.with_only_columns(Account).where(Account.id == id_).with_for_update(skip_locked=True)
        row = db.execute(again.execution_options(populate_existing=True)).scalar_one_or_none()
        if row is None:
            db.rollback()
            continue
        try:
            effects.apply(row, "expire", "system")
            db.commit()
            ended += 1
        except Exception:  # told in the log; the next run tries it again
            db.rollback()
            log.exception("account %s cannot be expired", id_)
    if ended:
        wake()
    return ended
