"""News and events as they are read; who may read what."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import can, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.news.model import News, Registration
from ckanext.dinamis_relais.news.rules import MACHINE, registration_open
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

_PLAIN = ("id", "kind", "state", "title", "body", "source", "place", "capacity", "sequence")
_MOMENTS = ("starts_at", "ends_at", "registration_until", "published_at", "created_at", "updated_at")


def writes(context: Context) -> bool:
    """Whether who asks may write, and hence reads drafts."""
    return can(user_of(context), "news.write")


def taken(news_id: str, state: str = "registered") -> int:
    """Registrations of an event in a state."""
    query = sa.select(sa.func.count()).where(Registration.news_id == news_id, Registration.state == state)
    return session().execute(query).scalar() or 0


def own(news_id: str, user: model.User | None) -> Registration | None:
    """A person's running registration to an event."""
    if user is None:
        return None
    query = sa.select(Registration).where(
        Registration.news_id == news_id, Registration.user_id == user.id, Registration.state != "cancelled"
    )
    return session().execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


def dictize(row: News, context: Context) -> dict[str, Any]:
    """An entry; of an event with registration, how many places are left, and one's own registration."""
    user, may = user_of(context), writes(context)
    found = {
        **{key: getattr(row, key) for key in _PLAIN},
        **{key: isoformat(getattr(row, key)) for key in _MOMENTS},
        "transitions": [one.name for one in MACHINE.allowed(row.state)] if may else [],
        "url": f"{config.site_url()}/dinamis/news/{row.id}",
        "places_left": None, "registration_open": False, "registration": None,
    }  # fmt: skip
    if row.capacity:
        mine = own(row.id, user)
        found["places_left"] = max(0, row.capacity - taken(row.id))
        found["registration_open"] = row.state == "published" and registration_open(
            row.capacity, row.starts_at, row.registration_until, utcnow()
        )
        found["registration"] = mine.state if mine else None
        if may:
            found["waiting"] = taken(row.id, "waiting")
    return found


def readable(id_: Any, context: Context) -> News:
    """An entry that who asks may read.

    :raises toolkit.ObjectNotFound: there is none, or it is a draft
    """
    row = session().get(News, str(id_))
    if row is None or (row.state != "published" and not writes(context)):
        raise tk.ObjectNotFound(tk._("This news does not exist."))
    return row


@tk.side_effect_free
def dinamis_news_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A piece of news or an event; a draft only for who may write them.

    :param id: its identifier
    """
    tk.check_access("dinamis_news_show", context, data_dict)
    return dictize(readable(tk.get_or_bust(data_dict, "id"), context), context)


@tk.side_effect_free
def dinamis_news_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """News, the newest first; or events.

    :param kind: ``news`` or ``event``
    :param state: ``draft`` or ``published``; drafts only for who may write them
    :param upcoming: True for events that are not over, the next first
    :returns: ``{"count", "results"}``
    """
    tk.check_access("dinamis_news_list", context, data_dict)
    extra = {
        "kind": [validator("ignore_empty"), validator("unicode_safe")],
        "upcoming": [validator("ignore_missing"), validator("boolean_validator")],
    }
    params = validated(data_dict, {**list_schema(), **extra}, context)
    query = sa.select(News)
    if not writes(context):
        query = query.where(News.state == "published")
    if params.get("state"):
        query = query.where(News.state == params["state"])
    if params.get("kind"):
        query = query.where(News.kind == params["kind"])
    order = [sa.func.coalesce(News.published_at, News.created_at).desc(), News.id]
    if params.get("upcoming"):
        query = query.where(sa.func.coalesce(News.ends_at, News.starts_at) >= utcnow())
        order = [News.starts_at, News.id]
    return listed(query, params, order, lambda row: dictize(row, context))
