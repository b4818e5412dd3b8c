"""Who watches what."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, json_column, moment, new_id, text, utcnow


class Watch(Base):
    """A person is told by mail of the new images over a territory, or over an area of the map.

    ``kind`` is a key of ``territories.KINDS`` with its ``code``, or ``area`` with its box
    (``west,south,east,north``) or its rings (``filters.outlines``) as ``code``; ``geometry`` is the outline of that day
    (GeoJSON). ``cursor`` is a snapshot of the scene store (``txid_current_snapshot``): what it does not see is new.
    ``looked_on`` is the day, in the site's zone, of the last look.
    """

    __tablename__ = "dinamis_watch"
    __table_args__ = (sa.UniqueConstraint("user_id", "kind", "code", name="uq_dinamis_watch_place"),)

    id = text(primary_key=True, default=new_id)
    user_id = text(nullable=False)
    kind = text(nullable=False)
    code = text(nullable=False)
    name = text(nullable=False)
    geometry = json_column(nullable=False)
    cursor = text(nullable=False)
    looked_on = column(sa.Date, nullable=False, index=True)
    created_at = moment(nullable=False, default=utcnow)
