"""News, events, and registrations to events."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, moment, new_id, text, utcnow


class News(Base):
    """A piece of news, or an event. ``sequence`` is raised by each change, as calendars want it."""

    __tablename__ = "dinamis_news"

    id = text(primary_key=True, default=new_id)
    kind = text(nullable=False)
    state = text(nullable=False, default="draft", index=True)
    title = text(nullable=False)
    body = text(nullable=False)
    source = text(nullable=False, default="pigma")
    place = text(nullable=False, default="")
    starts_at = moment(index=True)
    ends_at = moment()
    capacity = column(sa.Integer)
    registration_until = moment()
    sequence = column(sa.Integer, nullable=False, default=0)
    published_at = moment()
    created_at = moment(nullable=False, default=utcnow)
    updated_at = moment(nullable=False, default=utcnow)


class Registration(Base):
    """A person's place at an event, or on its waiting list. ``user_id`` is empty once their data were erased."""

    __tablename__ = "dinamis_registration"
    __table_args__ = (
        sa.Index(
            "uq_dinamis_registration_running", "news_id", "user_id", unique=True,
            postgresql_where=sa.text("state <> 'cancelled'"),
        ),
    )  # fmt: skip

    id = text(primary_key=True, default=new_id)
    news_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_news.id"), nullable=False, index=True)
    user_id = text(index=True)
    state = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)
    updated_at = moment(nullable=False, default=utcnow)
