"""Counters kept from the journal. What they count is elsewhere: all of it can be made again."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, moment, new_id, text, utcnow

#: Stands for all organisations together; no organisation's id is a star.
EVERYBODY = "*"


class Rollup(Base):
    """One sum: of a day (``grain`` d) or a month (m, ``start`` its first day), an organisation and a measure.

    The row of :data:`EVERYBODY` is kept beside those of the organisations, so that a page without filters reads as
    many rows as there are months, however many partners there are.
    """

    __tablename__ = "dinamis_rollup"

    organization_id = text(primary_key=True)
    grain = text(primary_key=True)
    start = column(sa.Date, primary_key=True)
    measure = text(primary_key=True)
    dimension = text(primary_key=True)
    value = column(sa.Numeric, nullable=False)


class RollupDownloads(Base):
    """What an organisation downloaded in a month (its first day), of all series: one row for four measures.

    Made of :class:`Rollup`. A page that compares all partners reads as many rows as there are partners and months.
    """

    __tablename__ = "dinamis_rollup_downloads"

    month = column(sa.Date, primary_key=True)
    organization_id = text(primary_key=True)
    files = column(sa.BigInteger, nullable=False)
    scenes = column(sa.BigInteger, nullable=False)
    bytes = column(sa.BigInteger, nullable=False)
    km2 = column(sa.Numeric, nullable=False)


class RollupCursor(Base):
    """The last line of the journal that is counted; one row. ``zone`` is that of the days."""

    __tablename__ = "dinamis_rollup_cursor"

    id = column(sa.Integer, primary_key=True, autoincrement=False)
    line_id = column(sa.BigInteger, nullable=False)
    zone = text(nullable=False)
    refreshed_at = moment(nullable=False, default=utcnow)
    revision = text(nullable=False, default=new_id)


class RollupState(Base):
    """The state of a thing as of the cursor: a change of state takes one from there and gives one here."""

    __tablename__ = "dinamis_rollup_state"

    object_type = text(primary_key=True)
    object_id = text(primary_key=True)
    state = text(nullable=False)


class SceneArea(Base):
    """km² of a scene that was downloaded, and its year: they outlive the scene's place in the catalogue."""

    __tablename__ = "dinamis_scene_area"

    collection = text(primary_key=True)
    item_id = text(primary_key=True)
    km2 = column(sa.Float, nullable=False)
    year = column(sa.Integer)
