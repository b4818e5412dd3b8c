"""Mail that waits to leave, what left together for DINAMIS, and the state of each target of delivery."""

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
    """What left for DINAMIS as a ZIP (transport ``dossier``), kept as it was: one a version of its thing.

    That of a grouped mail (``target`` is ``sending``) is about no one organisation; its bytes are wiped once a person
    in it is erased, its SHA-256 stays.
    """

    __tablename__ = "dinamis_dossier"

    id = text(primary_key=True, default=new_id)
    target = text(nullable=False)
    object_id = text(nullable=False)
    organization_id = text(index=True)
    version = column(sa.Integer, nullable=False)
    name = text(nullable=False)
    sha256 = text(nullable=False)
    size = column(sa.Integer, nullable=False)
    content = column(sa.LargeBinary)
    created_at = moment(nullable=False, default=utcnow)
    __table_args__ = (sa.UniqueConstraint("target", "object_id", "version", name="uq_dinamis_dossier_version"),)


class DeliveryTarget(Base):
    """A target that an answer 401 or 403 stopped; nothing leaves for it until someone retries."""

    __tablename__ = "dinamis_delivery_target"

    name = text(primary_key=True)
    stopped_at = moment()
    reason = text()
    details = json_column()


class Sending(Base):
    """What left for DINAMIS together (transport ``dossier``): one kind of thing, one ZIP, one mail.

    ``recipient`` is None where the ZIP was made to be handed over by other means.
    """

    __tablename__ = "dinamis_sending"

    id = text(primary_key=True, default=new_id)
    kind = text(nullable=False, index=True)
    dossier_id = text(nullable=False)
    recipient = text()
    created_by = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow, index=True)
    wiped_at = moment()


class SendingRow(Base):
    """One thing of a grouped mail, at the version that left, and what DINAMIS said of it.

    ``outcome`` is ``waiting``, ``confirmed`` or ``refused``; ``told``: it left, nothing is expected; ``replaced``: a
    newer version left since.
    """

    __tablename__ = "dinamis_sending_row"

    id = text(primary_key=True, default=new_id)
    sending_id = text(nullable=False)
    position = column(sa.Integer, nullable=False)
    kind = text(nullable=False)
    object_id = text(nullable=False, index=True)
    version = column(sa.Integer, nullable=False)
    state = text(nullable=False)
    outcome = text(nullable=False, default="waiting")
    answer_id = text()
    decided_at = moment()
    decided_by = text()
    __table_args__ = (
        sa.UniqueConstraint("sending_id", "object_id", name="uq_dinamis_sending_row"),
        # No version of a thing ever leaves twice.
        sa.UniqueConstraint("kind", "object_id", "version", name="uq_dinamis_sending_version"),
        sa.Index("ix_dinamis_sending_row_waiting", "kind", postgresql_where=sa.text("outcome = 'waiting'")),
    )


class SendingAnswer(Base):
    """What DINAMIS answered to rows of a grouped mail, as the super-référent recorded it, with its proof if any."""

    __tablename__ = "dinamis_sending_answer"

    id = text(primary_key=True, default=new_id)
    sending_id = text(nullable=False, index=True)
    outcome = text(nullable=False)
    words = text(nullable=False, default="")
    reference = text(nullable=False, default="")
    media_type = text()
    sha256 = text()
    size = column(sa.Integer)
    content = column(sa.LargeBinary)
    created_by = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)
