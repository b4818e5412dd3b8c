"""Members of DINAMIS and their terms, by the real actions; only days are moved, since no test waits for months."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.model import Application, Membership

from .helpers import _PATH, file_in, sign, token_of


def today(days: int = 0) -> dt.date:
    """Today in UTC, or so many days later."""
    return utcnow().date() + dt.timedelta(days=days)


def member(people: Any, ends: dt.date | None = None) -> Membership:
    """Bègles as a member, with an account that runs; its term ends on a day if one is given."""
    file_in(people, "accepted")
    person = {"email": "lou@begles.example", "given_name": "Lou", "family_name": "Exemple"}
    call_action("dinamis_account_create", people.context("super_referent"),
                organization_id=people.organization["id"], **person)  # fmt: skip
    row = model.Session.query(Membership).one()
    row.term_ends_on = ends
    model.Session.commit()
    return row


def again(thing: Any) -> Any:
    """A row as the database has it now."""
    model.Session.rollback()
    model.Session.expire_all()
    return model.Session.get(type(thing), thing.id)


def age(file_id: str, days: int) -> None:
    """Put a file's state so many days into the past."""
    row = model.Session.get(Application, file_id)
    row.state_since = row.state_since - dt.timedelta(days=days)
    model.Session.commit()


def mails(name: str) -> list[Mail]:
    """Messages of one kind, the oldest first."""
    return model.Session.query(Mail).filter_by(name=name).order_by(Mail.created_at).all()


def open_file(people: Any, kind: str, role: str = "referent", **fields: Any) -> dict[str, Any]:
    """A file of a member."""
    data = {"organization_id": people.organization["id"], "kind": kind, **fields}
    return call_action("dinamis_application_create", people.context(role), **data)


def take(people: Any, file: dict[str, Any], *steps: str) -> dict[str, Any]:
    """A file, taken through the states named, as ``helpers.file_in`` takes a first one."""
    for step in steps:
        for role, transition, more in _PATH[step]:
            if role == "signatory":
                asked = "reacceptance_requested" if file["kind"] == "reacceptance" else "signature_requested"
                query = model.Session.query(Mail).filter_by(name=asked, object_id=file["id"])
                sign(token_of(query.order_by(Mail.created_at.desc()).first()))
            else:
                call_action("dinamis_application_transition", people.context(role), id=file["id"],
                            transition=transition, **more)  # fmt: skip
    return call_action("dinamis_application_show", people.context("super_referent"), id=file["id"])
