"""What a file of each kind asks for before it is opened, and what it takes over from the one before."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.membership import papers, terms, terms_rules
from ckanext.dinamis_relais.membership.machines import OPEN_STATES
from ckanext.dinamis_relais.membership.model import Application, Membership
from ckanext.dinamis_relais.membership.schema import FIELDS, KINDS


def opens_on(row: Membership) -> dt.date | None:
    """Day from which the renewal of a membership may be opened; None for one without an end."""
    return row.term_ends_on - dt.timedelta(days=config.renewal_days()) if row.term_ends_on else None


def _problem(kind: str, row: Membership | None) -> str | None:  # noqa: PLR0911
    """Why a file of this kind cannot be opened, None when it can.

    After an end the first kind is the way back in; a renewal may still be sent after the last day, while it waits.
    """
    if row is None or row.state == "ended":
        if kind == "first":
            return None
        return tk._("This organisation is not a member at the moment: open a first file.")
    if kind == "first":
        return tk._("This organisation is a member already: open a renewal or a change of its details.")
    if kind == "renewal":
        day = opens_on(row)
        if day is None:
            return tk._("This membership has no end of term: there is nothing to renew.")
        if day > utcnow().date():
            return tk._("It is too early to renew: possible from {day}.").format(day=tk.h.dinamis_date(day))
    if kind == "reacceptance" and not terms_rules.outdated(row.accepted_texts, papers.versions_in_force()):
        return tk._("This member has accepted the texts in force already.")
    return None


def check(organization_id: str, kind: str) -> None:
    """Refuse a file that the membership does not allow, or a second one of its kind that is under way.

    :raises toolkit.ValidationError: says what to do instead
    """
    query = sa.select(Application.id).where(
        Application.organization_id == organization_id,
        Application.kind == kind,
        Application.state.in_(OPEN_STATES),
    )
    if session().execute(query).first():
        text = tk._("This organisation already has a file under way. Open it, or withdraw it first.")
        raise tk.ValidationError({"organization_id": [text]})
    problem = _problem(kind, terms.of(organization_id))
    if problem:
        raise tk.ValidationError({"kind": [problem]})


def possible(row: Membership) -> list[str]:
    """Kinds of file that a membership allows to open now, without those that are under way."""
    query = sa.select(Application.kind).where(
        Application.organization_id == row.organization_id, Application.state.in_(OPEN_STATES)
    )
    running = set(session().execute(query).scalars())
    return [kind for kind in KINDS if kind not in running and _problem(kind, row) is None]


def carried_over(organization_id: str, kind: str) -> dict[str, Any]:
    """What a new file takes over: all details of the file that the membership stands on, and its last day to answer."""
    row = terms.of(organization_id)
    if kind == "first" or row is None:
        return {}
    file = session().get(Application, row.application_id)
    last = row.term_ends_on if kind == "renewal" else None
    if kind == "reacceptance":
        last = utcnow().date() + dt.timedelta(days=config.reacceptance_answer_days())
    # A convention is signed once: what is signed anew is the avenant.
    details = {name: getattr(file, name) for name in FIELDS if name != "with_agreement"}
    return {**details, "entity_checked_at": file.entity_checked_at, "answer_by": last}
