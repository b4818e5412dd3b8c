"""What an accepted file gives, how long it lasts, and its end when nobody renews it."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa

from ckanext.dinamis_relais import accounts, config
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import mailer, wake
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.membership import letters, papers, reminders, terms_rules
from ckanext.dinamis_relais.membership.machines import MEMBERSHIP
from ckanext.dinamis_relais.membership.model import Application, Membership

log = logging.getLogger(__name__)


def of(organization_id: str, *, locked: bool = False) -> Membership | None:
    """The membership of an organisation, whatever its state.

    :param locked: held until the transaction ends, and read anew
    """
    query = sa.select(Membership).where(Membership.organization_id == organization_id)
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session().execute(query).scalar_one_or_none()


def grant(application: Application, actor: str, now: dt.datetime) -> Membership:
    """The membership that an accepted file makes, goes on with, or makes active again; the caller commits.

    A change of details and a new acceptance leave a suspension as it is: they are no decision about it.
    """
    row = of(application.organization_id, locked=True)
    before = row.state if row is not None else None
    if row is None:
        row = Membership(organization_id=application.organization_id, since=now)
        session().add(row)
    row.since = terms_rules.begins(before, row.since, application.kind, now)
    runs = before in ("active", "suspended")
    row.term_ends_on = terms_rules.last_day(
        application.kind, config.membership_months(), now.date(), row.term_ends_on, runs
    )
    row.application_id, row.agreement_number = application.id, application.agreement_number
    row.accepted_texts = application.accepted_texts
    if not (before == "suspended" and application.kind in ("change", "reacceptance")):
        row.state, row.reason = "active", None
        row.until = row.ended_because = None
    if before != row.state:
        row.state_since = now
    row.owe()
    session().flush()
    if before not in (None, row.state):
        accounts.resume_for_membership(row.organization_id, actor, "")
    record(Event.MEMBERSHIP_ACTIVATED, actor, "membership", row.id, row.organization_id,
           application_id=application.id)  # fmt: skip
    return row


def follow(row: Membership, state: str, actor: str, reason: str, because: str | None = None) -> None:
    """Put a membership into a state, with its accounts; the caller journals and commits.

    :param because: why it ends, a word of ``terms_rules.ENDED_BECAUSE``
    """
    row.state, row.state_since, row.reason = state, utcnow(), reason or None
    if state == "ended":
        row.until, row.ended_because = row.state_since, because
    row.owe()
    if state == "active":
        accounts.resume_for_membership(row.organization_id, actor, reason)
    else:
        accounts.suspend_for_membership(row.organization_id, actor, reason)


def register_guard(application: Application, data: dict[str, Any]) -> None:
    """A new acceptance counts for a membership that runs, or that ended only because this one was missing."""
    del data
    row = of(application.organization_id)
    runs = row is not None and (row.state != "ended" or row.ended_because == "reacceptance")
    if application.kind != "reacceptance" or not runs:
        raise GuardError("transition", tk._("This file is no new acceptance of a membership that runs."))


def _files(row: Membership, kind: str, states: tuple[str, ...]) -> Any:
    return sa.select(Application).where(
        Application.organization_id == row.organization_id, Application.kind == kind, Application.state.in_(states)
    )


def _term_is_over(row: Membership) -> bool:
    if row.term_ends_on is None:
        return False
    # Who has signed the renewal in time does not pay for the time that others take to decide.
    if session().execute(_files(row, "renewal", terms_rules.EXAMINED)).first():
        return False
    warned = reminders.warned_on("term", row.id, row.term_ends_on)
    days = config.reminder_days()["term"]
    return terms_rules.may_end(row.term_ends_on, utcnow().date(), days, warned)


def _overdue(row: Membership) -> Application | None:
    """The new acceptance that was asked for, warned about, and not signed in time."""
    if not terms_rules.outdated(row.accepted_texts, papers.versions_in_force()):
        return None
    days = config.reminder_days()["reacceptance"]
    for file in session().execute(_files(row, "reacceptance", ("awaiting_signature",))).scalars():
        if file.answer_by is None:
            continue
        warned = reminders.warned_on("reacceptance", file.id, file.answer_by)
        if terms_rules.may_end(file.answer_by, utcnow().date(), days, warned):
            return file
    return None


def _end(row: Membership, name: str, because: str, last: dt.date, sentence: str) -> None:
    step = MEMBERSHIP.row(row.state, name)
    before, reason = row.state, sentence.format(day=mailer.day(last))
    follow(row, step.target, "system", reason, because)
    file = session().get(Application, row.application_id)
    letters.send(step.mail or "", file, reason=reason, last_day=last)
    record(Event(step.event), "system", "membership", row.id, row.organization_id,
           state_from=before, state_to=row.state, reason=reason)  # fmt: skip


def _end_one(id_: str) -> bool:
    db = session()
    query = sa.select(Membership).where(Membership.id == id_, Membership.state.in_(("active", "suspended")))
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    row = db.execute(query).scalar_one_or_none()
    overdue = _overdue(row) if row is not None else None
    if row is not None and _term_is_over(row):
        _end(row, "term_over", "term", row.term_ends_on, tk._("The term ended on {day} and was not renewed."))
    elif row is not None and overdue is not None:
        text = tk._("The new version of the charter or of the licences was to be accepted by {day}.")
        _end(row, "lapse", "reacceptance", overdue.answer_by, text)
    else:
        db.rollback()
        return False
    db.commit()
    return True


def end_due() -> int:
    """End the memberships whose term is over, or whose new acceptance is overdue, after their warnings.

    Safe to run as often as wanted and by several at once; one that cannot be ended holds up no other.

    :returns: how many ended
    """
    db, today, ended = session(), utcnow().date(), 0
    overdue = sa.select(Application.organization_id).where(
        Application.kind == "reacceptance", Application.state == "awaiting_signature", Application.answer_by < today
    )
    query = sa.select(Membership.id).where(
        Membership.state.in_(("active", "suspended")),
        sa.or_(Membership.term_ends_on < today, Membership.organization_id.in_(overdue)),
    )
    due = list(db.execute(query.order_by(Membership.id)).scalars())
    db.rollback()
    for id_ in due:
        try:
            ended += _end_one(id_)
        except Exception:  # told in the log; the next run tries it again
            db.rollback()
            log.exception("membership %s cannot be ended", id_)
    if ended:
        wake()
    return ended
