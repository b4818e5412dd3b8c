"""What leaves by itself when days pass: each reminder once, whoever looks and however often.

The row of ``dinamis_reminder`` is written in the transaction of the message; its unique key is what makes it one.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import new_id, session, utcnow
from ckanext.dinamis_relais.gateway import wake
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership import letters, signing, terms_rules
from ckanext.dinamis_relais.membership.model import Application, Membership, Reminder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One kind of reminder.

    :ivar name: key of the operator's days (``config.reminder_days``), and of the rows
    :ivar mail: the message; ``membership/letters.py`` says who receives it
    :ivar before: the days count down to a last day, instead of up from what was asked
    :ivar table: whose rows are looked at
    :ivar anchor: the column from which the days count
    :ivar wanted: which rows, as SQL
    :ivar link: the message carries a new link to sign; the earlier ones stay good
    :ivar when: the same for people, printed in the documentation
    """

    name: str
    mail: str
    before: bool
    table: Any
    anchor: Any
    wanted: Callable[[], Any]
    link: bool
    when: str


def _unsigned(reacceptance: bool) -> Any:
    kind = Application.kind == "reacceptance"
    return sa.and_(Application.state == "awaiting_signature", kind if reacceptance else sa.not_(kind))


KINDS: tuple[Kind, ...] = (
    Kind("signature", "signature_reminder", False, Application, Application.state_since,
         lambda: _unsigned(reacceptance=False), True,
         "days after the link to sign was sent, while it is not signed"),
    Kind("correction", "correction_reminder", False, Application, Application.state_since,
         lambda: Application.state == "changes_requested", False,
         "days after a correction was asked for, while there is no answer"),
    Kind("term", "term_reminder", True, Membership, Membership.term_ends_on,
         lambda: Membership.state.in_(("active", "suspended")) & Membership.term_ends_on.is_not(None), False,
         "days before the last day of the term"),
    Kind("reacceptance", "reacceptance_reminder", True, Application, Application.answer_by,
         lambda: _unsigned(reacceptance=True) & Application.answer_by.is_not(None), True,
         "days before the last day to accept the texts anew, while it is not signed"),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


def _day(moment: dt.datetime | dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def occasion(anchor: dt.datetime | dt.date, days: int) -> str:
    """What makes a reminder one: the very request (or last day) that it is about, and its number of days."""
    return f"{anchor.isoformat()}/{days}"


def _due(kind: Kind, anchor: dt.datetime | dt.date) -> int | None:
    days, away = config.reminder_days()[kind.name], (utcnow().date() - _day(anchor)).days
    return terms_rules.due_before(days, -away) if kind.before else terms_rules.due_after(days, away)


def warned_on(name: str, object_id: str, last: dt.date) -> dt.date | None:
    """Day on which the most urgent warning about a last day left, None when it has not."""
    days = config.reminder_days()[name]
    if not days:
        return None
    query = sa.select(Reminder.sent_at).where(
        Reminder.kind == name, Reminder.object_id == object_id, Reminder.occasion == occasion(last, min(days))
    )
    sent = session().execute(query).scalar()
    return sent.date() if sent else None


def _candidates(kind: Kind) -> list[str]:
    """Ids of the rows whose reminder is due and not sent; nothing is locked yet."""
    db = session()
    rows = list(db.execute(sa.select(kind.table.id, kind.anchor).where(kind.wanted()).order_by(kind.anchor)))
    due = {id_: occasion(anchor, days) for id_, anchor in rows if (days := _due(kind, anchor)) is not None}
    sent = sa.select(Reminder.object_id, Reminder.occasion).where(Reminder.kind == kind.name)
    done = set(map(tuple, db.execute(sent.where(Reminder.object_id.in_(list(due)))))) if due else set()
    db.rollback()
    return [id_ for id_, about in due.items() if (id_, about) not in done]


def _remind(kind: Kind, id_: str) -> bool:
    """Send one, if it is still due: the row is held, the key is new, and all of it is one commit."""
    db = session()
    query = sa.select(kind.table).where(kind.table.id == id_, kind.wanted()).with_for_update()
    row = db.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    anchor = getattr(row, kind.anchor.key) if row is not None else None
    days = _due(kind, anchor) if anchor is not None else None
    if row is None or anchor is None or days is None:
        db.rollback()
        return False
    made = insert(Reminder).values(
        id=new_id(), kind=kind.name, object_id=id_, occasion=occasion(anchor, days), sent_at=utcnow()
    )
    if not db.execute(made.on_conflict_do_nothing(constraint="uq_dinamis_reminder_once")).rowcount:
        db.rollback()
        return False
    file = row if isinstance(row, Application) else db.get(Application, row.application_id)
    last = _day(anchor) if kind.before else None
    letters.send(kind.mail, file, link=signing.new_link(file) if kind.link else None, last_day=last)
    record(
        Event.APPLICATION_REMINDED, "system", "application", file.id, file.organization_id, kind=kind.name, days=days
    )
    db.commit()
    return True


def remind_due() -> int:
    """Send the reminders that are due; safe to run as often as wanted and by several at once.

    One that cannot be sent holds up no other: it is told in the log and tried again by the next run.

    :returns: how many left
    """
    sent = 0
    for kind in KINDS:
        for id_ in _candidates(kind):
            try:
                sent += _remind(kind, id_)
            except Exception:
                session().rollback()
                log.exception("reminder %s of %s cannot be sent", kind.name, id_)
    if sent:
        wake()
    return sent
