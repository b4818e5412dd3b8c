"""Mail that waits to leave, and the state of each target of delivery."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, Deliverable, column, json_column, moment, new_id, text, utcnow


class Mail(Base, Deliverable):
    """A message as rendered when it was decided.

    ``body`` shows ``{link}`` where a one-time link stands; the link itself is in ``secrets``,
    encrypted, and wiped once the message left, so that the thread of a file never holds one.
    """

    __tablename__ = "dinamis_mail"

    id = text(primary_key=True, default=new_id)
    name = text(nullable=False)
    recipient = text(nullable=False, index=True)
    recipient_name = text(nullable=False, default="")
    reply_to = text()
    subject = text(nullable=False)
    body = text(nullable=False)
    secrets = column(sa.LargeBinary)
    #: A dossier that goes with it as a file.
    dossier_id = text()
    object_type = text(nullable=False)
    object_id = text(nullable=False, index=True)
    organization_id = text(index=True)
    created_at = moment(nullable=False, default=utcnow)


class Dossier(Base):
    """What left for DINAMIS as a ZIP (transport ``dossier``), kept as it was: one a version of its thing."""

    __tablename__ = "dinamis_dossier"

    id = text(primary_key=True, default=new_id)
    target = text(nullable=False)
    object_id = text(nullable=False)
    organization_id = text(nullable=False, index=True)
    version = column(sa.Integer, nullable=False)
    name = text(nullable=False)
    sha256 = text(nullable=False)
    size = column(sa.Integer, nullable=False)
    content = column(sa.LargeBinary, nullable=False)
    created_at = moment(nullable=False, default=utcnow)
    __table_args__ = (sa.UniqueConstraint("target", "object_id", "version", name="uq_dinamis_dossier_version"),)


class DeliveryTarget(Base):
    """A target that an answer 401 or 403 stopped; nothing leaves for it until someone retries."""

    __tablename__ = "dinamis_delivery_target"

    name = text(primary_key=True)
    stopped_at = moment()
    reason = text()
    details = json_column()
