"""Where a use case stands, and its picture. Its texts are its CKAN dataset's.

``themes`` and ``series`` repeat the dataset's: lists search by them, and CKAN 2.11 and 2.12 keep extras differently.
"""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, json_column, moment, new_id, text, utcnow


class UseCase(Base):
    """A use case; its id is its dataset's. The dataset is public while, and only while, the state is ``published``."""

    __tablename__ = "dinamis_use_case"

    id = text(primary_key=True)
    organization_id = text(nullable=False, index=True)
    author_id = text(index=True)
    state = text(nullable=False, default="draft", index=True)
    state_since = moment(nullable=False, default=utcnow)
    reason = text()
    themes = json_column(nullable=False, default=list)
    series = json_column(nullable=False, default=list)
    published_at = moment()
    created_at = moment(nullable=False, default=utcnow)
    updated_at = moment(nullable=False, default=utcnow)


class Picture(Base):
    """The picture of a use case, drawn anew from what was sent: no place and no camera is in it."""

    __tablename__ = "dinamis_picture"

    id = text(primary_key=True, default=new_id)
    dataset_id = text(nullable=False, index=True)
    media_type = text(nullable=False)
    content = column(sa.LargeBinary, nullable=False)
    created_at = moment(nullable=False, default=utcnow)
