"""Places at an event: given once each, under the lock of the event's row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.news.listing import taken
from ckanext.dinamis_relais.news.model import News, Registration

#: message → who receives it.
RECIPIENTS: dict[str, tuple[str, ...]] = {"event_place": ("person",)}


def register(news: News, user_id: str, state: str) -> Registration:
    """Write a registration (the event's row locked)."""
    made = Registration(news_id=news.id, user_id=user_id, state=state)
    session().add(made)
    session().flush()
    record(Event.REGISTRATION_MADE, user_id, "registration", made.id, None, news_id=news.id, state_to=state)
    return made


def cancel(news: News, row: Registration, actor: str) -> None:
    """End a registration (the event's row locked); the place goes to who waits for longest."""
    row.state, row.updated_at = "cancelled", utcnow()
    session().flush()
    record(Event.REGISTRATION_CANCELLED, actor, "registration", row.id, None, news_id=news.id)
    move_up(news, actor)


def move_up(news: News, actor: str) -> int:
    """Give free places to those who wait, in order (the event's row locked), and tell them by mail.

    :returns: how many
    """
    free = (news.capacity or 0) - taken(news.id)
    if free <= 0 or (news.starts_at is not None and news.starts_at <= utcnow()):
        return 0
    query = sa.select(Registration).where(Registration.news_id == news.id, Registration.state == "waiting")
    waiting = list(session().execute(query.order_by(Registration.created_at, Registration.id).limit(free)).scalars())
    for row in waiting:
        row.state, row.updated_at = "registered", utcnow()
        record(Event.REGISTRATION_MOVED_UP, actor, "registration", row.id, None, news_id=news.id)
        _tell(news, row)
    session().flush()
    return len(waiting)


def _tell(news: News, row: Registration) -> None:
    from ckanext.dinamis_relais import config

    user = model.User.get(row.user_id) if row.user_id else None
    if user is None or user.state != "active" or not user.email:
        return
    values = {"title": news.title, "page": f"{config.site_url()}/dinamis/news/{news.id}"}
    mailer.write("event_place", user.email, user.fullname or user.name, ("registration", row.id, None), values)


def export(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The registrations of some logins."""
    query = sa.select(Registration, News.title).join(News, News.id == Registration.news_id)
    query = query.where(Registration.user_id.in_(set(user_ids))).order_by(Registration.created_at)
    return [
        {"event": title, "state": row.state, "registered_at": isoformat(row.created_at)}
        for row, title in session().execute(query)
    ]


def erase_of(user_id: str, actor: str) -> int:
    """Cancel and forget a login's registrations; the caller commits."""
    places = sa.select(Registration.news_id).where(Registration.user_id == user_id).distinct()
    count = 0
    for news_id in sorted(session().execute(places).scalars()):
        held = sa.select(News).where(News.id == news_id).with_for_update()
        news = session().execute(held.execution_options(populate_existing=True)).scalar_one()
        rows = sa.select(Registration).where(Registration.user_id == user_id, Registration.news_id == news_id)
        for row in session().execute(rows.execution_options(populate_existing=True)).scalars().all():
            row.state, row.user_id, row.updated_at = "cancelled", None, utcnow()
            record(Event.REGISTRATION_ERASED, actor, "registration", row.id, None, news_id=news_id)
            count += 1
        session().flush()
        move_up(news, actor)
    return count
