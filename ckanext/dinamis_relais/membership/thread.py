"""The thread of a file: the mails that were written about it and what PIGMA noted on it, in the order of time.

PIGMA reads all of it. The organisation's referent reads the mails to the organisation's own people: whom PIGMA or
DINAMIS were written to, and what PIGMA notes for itself, is theirs. The executive board reads neither.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais.authority import can, user_of
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership import notes
from ckanext.dinamis_relais.membership.applications import Data, readable
from ckanext.dinamis_relais.membership.model import Application, Convention, Membership, SignatureLink


def _about(application: Application) -> Any:
    """SQL: mails about a file, and about the membership that it gave."""
    given = sa.select(Membership.id).where(Membership.application_id == application.id)
    return sa.or_(
        sa.and_(Mail.object_type == "application", Mail.object_id == application.id),
        sa.and_(Mail.object_type == "membership", Mail.object_id.in_(given)),
    )


def own_addresses(organization_id: str) -> set[str]:
    """E-mail addresses, in lower case, of the people whom an organisation itself named: in its files, by its links to
    sign and in its convention. An address that is not among them is no business of the organisation's."""
    people = sa.select(Application.representative, Application.referent, Application.signatory)
    rows = session().execute(people.where(Application.organization_id == organization_id))
    found = {person.get("email") for row in rows for person in row}
    files = sa.select(Application.id).where(Application.organization_id == organization_id)
    links = sa.select(SignatureLink.email).where(SignatureLink.application_id.in_(files))
    found |= set(session().execute(links).scalars())
    convention = sa.select(Convention.email, Convention.representative["email"].astext)
    for row in session().execute(convention.where(Convention.organization_id == organization_id)):
        found |= set(row)
    return {address.lower() for address in found if address}


def _mail(row: Mail) -> Data:
    due = row.version > row.delivered_version
    return {
        "kind": "mail",
        "id": row.id,
        "at": isoformat(row.created_at),
        "name": row.name,
        "recipient": row.recipient,
        "recipient_name": row.recipient_name,
        "subject": row.subject,
        "text": row.body,
        "state": "failed" if row.failed_at else "due" if due else "delivered",
        "delivered_at": isoformat(row.delivered_at),
    }


def _delivery(row: Mail) -> Data:
    """How sending it went: PIGMA's own affair."""
    due = row.version > row.delivered_version
    return {
        "attempts": row.attempts,
        "next_attempt_at": isoformat(row.next_attempt_at) if due and not row.failed_at else None,
        "last_error": row.last_error if due else None,
    }


def mails_of(application: Application, user: model.User | None) -> list[Data]:
    """The mails about a file that this user may read, the oldest first."""
    rows = session().execute(sa.select(Mail).where(_about(application)).order_by(Mail.created_at, Mail.id)).scalars()
    if can(user, "application.review", application.organization_id):
        return [{**_mail(row), **_delivery(row)} for row in rows]
    own = own_addresses(application.organization_id)
    return [_mail(row) for row in rows if row.recipient.lower() in own]


@tk.side_effect_free
def dinamis_application_thread(context: Context, data_dict: Data) -> Data:
    """The mails about a file and PIGMA's notes on it, in one thread, the oldest first.

    :param id: the file
    :returns: ``{"count", "results"}``; each has ``kind``, ``id``, ``at`` (RFC 3339, UTC). A ``mail`` has ``name`` (of
        its template), ``recipient``, ``recipient_name``, ``subject``, ``text`` (``{link}`` where a one-time link or
        code stood), ``state`` (``due``, ``delivered`` or ``failed``) and ``delivered_at``; for PIGMA also ``attempts``,
        ``next_attempt_at`` and ``last_error``. A ``note``, for PIGMA alone, is as of ``dinamis_note_list``.
        A referent is given the mails to the organisation's own people, nobody else's
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_application_thread", context, data_dict)
    user = user_of(context)
    application = readable(id_, user)
    entries = mails_of(application, user)
    if can(user, "note.read", application.organization_id):
        entries += notes.of(application.id, user)
    # Times are texts of one form: they sort as the moments do. A note is a comment on what stands above it.
    entries.sort(key=lambda entry: (entry["at"], entry["kind"]))
    return {"count": len(entries), "results": entries}
