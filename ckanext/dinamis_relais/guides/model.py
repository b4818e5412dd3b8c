"""Guides and answers that this site wrote or changed, with their versions.

A shipped guide has no row until somebody changes it: its shipped text is its version 0.
"""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, moment, new_id, text, utcnow


class Guide(Base):
    """A guide or an answer. ``number`` is the version in force; 0 is the text shipped with the extension."""

    __tablename__ = "dinamis_guide"

    id = text(primary_key=True, default=new_id)
    name = text(nullable=False, unique=True)
    kind = text(nullable=False)
    theme = text(nullable=False)
    state = text(nullable=False, default="draft")
    number = column(sa.Integer, nullable=False, default=0)
    created_at = moment(nullable=False, default=utcnow)
    updated_at = moment(nullable=False, default=utcnow)


class GuideVersion(Base):
    """One text of a guide, never changed once written."""

    __tablename__ = "dinamis_guide_version"
    __table_args__ = (sa.UniqueConstraint("guide_id", "number", name="uq_dinamis_guide_version"),)

    id = text(primary_key=True, default=new_id)
    guide_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_guide.id"), nullable=False, index=True)
    number = column(sa.Integer, nullable=False)
    title = text(nullable=False)
    summary = text(nullable=False, default="")
    body = text(nullable=False)
    title_en = text(nullable=False, default="")
    summary_en = text(nullable=False, default="")
    author_id = text()
    created_at = moment(nullable=False, default=utcnow)
