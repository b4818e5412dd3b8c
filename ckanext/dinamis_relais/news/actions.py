"""The room's part of the action API: write news and events, register."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import db
from ckanext.dinamis_relais.authority import actor_of, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.guides.schema import step
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.news import registering, schema
from ckanext.dinamis_relais.news.listing import dictize, dinamis_news_list, dinamis_news_show, own, readable, taken
from ckanext.dinamis_relais.news.model import News, Registration
from ckanext.dinamis_relais.news.rules import MACHINE, place_for, registration_open
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit

__all__ = [
    "dinamis_event_register",
    "dinamis_event_registrations",
    "dinamis_event_unregister",
    "dinamis_news_create",
    "dinamis_news_list",
    "dinamis_news_show",
    "dinamis_news_transition",
    "dinamis_news_update",
]

_FIELDS = (
    "kind", "title", "body", "source", "place", "starts_at", "ends_at", "capacity", "registration_until",
)  # fmt: skip


def _locked(id_: Any) -> News:
    return db.locked(News, str(id_), tk._("This news does not exist."))


def dinamis_news_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Write a piece of news or an event; a draft until it is published.

    :param kind: ``news`` (by default) or ``event``
    :param title: in French as the text
    :param body: Markdown
    :param source: who announces it, ``pigma`` (by default) or ``dinamis``
    :param place: of an event
    :param starts_at: of an event, needed; RFC 3339, or local time without a zone; likewise ``ends_at``
    :param capacity: places; none for an event without registration here
    :param registration_until: by default its beginning
    """
    tk.check_access("dinamis_news_create", context, data_dict)
    data = validated(data_dict, schema.entry(), context)
    row = News(**{key: data.get(key) for key in _FIELDS if data.get(key) is not None})
    with one_commit():
        session().add(row)
        session().flush()
        record(Event.NEWS_CREATED, actor_of(context), "news", row.id, None, kind=row.kind)
    return dictize(row, context)


def dinamis_news_update(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Change a piece of news or an event; more places go to those who wait.

    :param id: its identifier; the other parameters as in ``dinamis_news_create``, all of them
    :raises toolkit.ValidationError: fewer places than are given already
    """
    tk.check_access("dinamis_news_update", context, data_dict)
    data = validated(data_dict, schema.changed(), context)
    actor = actor_of(context)
    with one_commit():
        row = _locked(data["id"])
        given = taken(row.id)
        if given and (data["kind"] != "event" or (data.get("capacity") or 0) < given):
            text = tk._("{number} people are registered already: keep at least as many places.")
            raise GuardError("capacity", text.format(number=given))
        for key in _FIELDS:
            setattr(row, key, data.get(key))
        row.sequence, row.updated_at = row.sequence + 1, utcnow()
        session().flush()
        registering.move_up(row, actor)
        record(Event.NEWS_CHANGED, actor, "news", row.id, None, kind=row.kind)
    return dictize(row, context)


def dinamis_news_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """``publish`` a draft, or ``unpublish`` what is published.

    :param id: its identifier
    """
    tk.check_access("dinamis_news_transition", context, data_dict)
    data = validated(data_dict, step(), context)
    with one_commit():
        row = _locked(data["id"])
        found = MACHINE.row(row.state, data["transition"])
        row.state, row.updated_at, row.sequence = found.target, utcnow(), row.sequence + 1
        if found.target == "published":
            row.published_at = row.published_at or utcnow()
        session().flush()
        record(Event(found.event), actor_of(context), "news", row.id, None,
               state_from=found.source, state_to=found.target)  # fmt: skip
    return dictize(row, context)


def _person(context: Context) -> model.User:
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to register."))
    return user


def dinamis_event_register(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Register oneself to an event; on its waiting list when it is full. To ask twice changes nothing.

    :param id: the event
    :returns: the event, with ``registration``: ``registered`` or ``waiting``
    :raises toolkit.ValidationError: it takes no registrations, or none any more
    """
    tk.check_access("dinamis_event_register", context, data_dict)
    user = _person(context)
    readable(tk.get_or_bust(data_dict, "id"), context)
    with one_commit():
        row = _locked(data_dict["id"])
        if own(row.id, user) is None:
            if row.state != "published" or not registration_open(
                row.capacity, row.starts_at, row.registration_until, utcnow()
            ):
                raise GuardError("id", tk._("This event takes no registrations, or none any more."))
            registering.register(row, user.id, place_for(taken(row.id), row.capacity))
    return dictize(row, context)


def dinamis_event_unregister(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Cancel one's own registration; the place goes to who waits for longest, who is told by mail.

    :param id: the event
    """
    tk.check_access("dinamis_event_unregister", context, data_dict)
    user = _person(context)
    with one_commit():
        row = _locked(tk.get_or_bust(data_dict, "id"))
        mine = own(row.id, user)
        if mine is None:
            raise GuardError("id", tk._("You are not registered to this event."))
        registering.cancel(row, mine, user.id)
    return dictize(row, context)


@tk.side_effect_free
def dinamis_event_registrations(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Who comes to an event and who waits, in the order in which they registered.

    :param id: the event
    :returns: ``{"count", "results"}``, each with ``name``, ``email``, ``state``, ``registered_at``
    """
    tk.check_access("dinamis_event_registrations", context, data_dict)
    row = readable(tk.get_or_bust(data_dict, "id"), context)
    query = sa.select(Registration, model.User).join(model.User, model.User.id == Registration.user_id)
    query = query.where(Registration.news_id == row.id, Registration.state != "cancelled")
    found = [
        {
            "name": user.fullname or user.name,
            "email": user.email,
            "state": registration.state,
            "registered_at": isoformat(registration.created_at),
        }
        for registration, user in session().execute(query.order_by(Registration.created_at, Registration.id))
    ]
    return {"count": len(found), "results": found}
