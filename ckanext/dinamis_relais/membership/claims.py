"""Who at PIGMA works on a file, and by when: taken in charge, handed over, let go, with a day to be done by."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import actor_of, can, user_of
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership import dictize
from ckanext.dinamis_relais.membership.applications import Data, locked
from ckanext.dinamis_relais.membership.model import Application
from ckanext.dinamis_relais.transaction import one_commit


def end_of(day: dt.date) -> dt.datetime:
    """The last second of a day in the site's time zone, in UTC: until then nobody is late."""
    last = dt.datetime.combine(day, dt.time(23, 59, 59), ZoneInfo(config.time_zone()))
    return last.astimezone(dt.timezone.utc)


def _due(row: Application, value: Any) -> dt.datetime | None:
    """When a file is to be done by; None for an empty text. A day that stood there already may be over.

    :raises toolkit.ValidationError: no day, or one that is over
    """
    if value in (None, ""):
        return None
    try:
        due = end_of(dt.date.fromisoformat(str(value)))
    except ValueError as error:
        sentence = tk._("Day to be done by: give it as a date, for instance 2026-11-24.")
        raise tk.ValidationError({"due_on": [sentence]}) from error
    if due < utcnow() and due != row.due_at:
        sentence = tk._("Day to be done by: this day is over. Give today, a later day, or none.")
        raise tk.ValidationError({"due_on": [sentence]})
    return due


def _colleague(row: Application, value: Any) -> str | None:
    """Id of the one who is to work on a file; None for an empty text. Who does already may go on, whoever it is.

    :raises toolkit.ValidationError: nobody of PIGMA
    """
    if value in (None, "") or value == row.claimed_by:
        return value or None
    user = model.User.get(str(value))
    if user is None or user.state != "active" or not can(user, "application.review"):
        raise tk.ValidationError({"user": [tk._("Only PIGMA's people work on files. Choose one of them.")]})
    return user.id


def dinamis_application_claim(context: Context, data_dict: Data) -> Data:
    """Say who works on a file and by when. The one who holds it is shown to the others.

    :param id: the file
    :param user: name or id of one of PIGMA's people, empty for nobody; oneself when it is left out
    :param release: True for nobody, as an empty ``user``
    :param due_on: day to be done by (ISO 8601), empty for none; left as it is when it is left out
    :returns: the file
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_application_claim", context, data_dict)
    actor, row = actor_of(context), locked(id_)
    with one_commit():
        wanted: Data = {"claimed_by": _colleague(row, data_dict["user"]) if "user" in data_dict else actor}
        if tk.asbool(data_dict.get("release", False)):
            wanted["claimed_by"] = None
        if "due_on" in data_dict:
            wanted["due_at"] = _due(row, data_dict["due_on"])
        changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        for name, value in changed.items():
            setattr(row, name, value)
        if changed:
            told: Data = {"due_on": str(data_dict["due_on"] or "")} if "due_at" in changed else {}
            record(Event.APPLICATION_CLAIMED, actor, "application", row.id, row.organization_id,
                   claimed_by=row.claimed_by, **told)  # fmt: skip
    return dictize.application(row, user_of(context))
