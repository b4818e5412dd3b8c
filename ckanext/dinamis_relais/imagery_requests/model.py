"""Requests for new imagery, and the statuses that each went through."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, Deliverable, column, json_column, moment, new_id, text, utcnow


class ImageryRequest(Base, Deliverable):
    """One request of one person for their organisation; delivered to DINAMIS once PIGMA accepted it.

    ``area`` is GeoJSON (longitude, latitude), empty once the person's data were erased, as is ``user_id``; ``area_km2``
    stays for the quotas and the figures. ``archive`` is what the archive held when it was sent.
    """

    __tablename__ = "dinamis_request"

    id = text(primary_key=True, default=new_id)
    state = text(nullable=False, default="received", index=True)
    state_since = moment(nullable=False, default=utcnow)
    user_id = text(index=True)
    organization_id = text(nullable=False, index=True)
    title = text(nullable=False)
    purpose = text(nullable=False)
    area = json_column()
    area_km2 = column(sa.Float, nullable=False)
    area_source = text(nullable=False)
    area_notes = json_column(nullable=False, default=list)
    starts_on = column(sa.Date, nullable=False)
    ends_on = column(sa.Date, nullable=False)
    cloud = column(sa.Integer)
    product = text(nullable=False)
    resolution = column(sa.Float, nullable=False)
    archive = json_column(nullable=False, default=dict)
    by_archive = column(sa.Boolean, nullable=False, default=False)
    answer = text()
    answer_scenes = json_column(nullable=False, default=list)
    reference = text()
    created_at = moment(nullable=False, default=utcnow)
    updated_at = moment(nullable=False, default=utcnow)
    erased_at = moment()


class RequestStep(Base):
    """A status that a request reached: who took it there, when, and why."""

    __tablename__ = "dinamis_request_step"

    id = text(primary_key=True, default=new_id)
    request_id = column(sa.UnicodeText, sa.ForeignKey("dinamis_request.id"), nullable=False, index=True)
    position = column(sa.Integer, nullable=False)
    code = text(nullable=False)
    at = moment(nullable=False, default=utcnow)
    side = text(nullable=False)
    actor_id = text()
    reason_code = text()
    reason = text()
