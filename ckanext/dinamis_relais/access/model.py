"""Tables of the room: whose DINAMIS login is linked, which licence was accepted, what was handed out."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, moment, new_id, text, utcnow


class IdentityLink(Base):
    """One person's DINAMIS login. ``secret`` is encrypted (``gateway.secrets``) and never leaves the room.

    ``version`` rises with each renewal, ``lease_until`` keeps two requests from renewing at once; ``refused_at``:
    DINAMIS no longer takes it, and the person has to link again. ``id`` changes with each new link.
    """

    __tablename__ = "dinamis_identity_link"

    user_id = text(primary_key=True)
    id = text(nullable=False, default=new_id)
    kind = text(nullable=False)
    secret = column(sa.LargeBinary, nullable=False)
    username = text()
    version = column(sa.Integer, nullable=False, default=1)
    linked_at = moment(nullable=False, default=utcnow)
    used_at = moment()
    expires_at = moment()
    refused_at = moment()
    lease_until = moment()


class DeviceCode(Base):
    """A link by the device flow that waits for the person's consent; ``secret`` holds the device code, encrypted."""

    __tablename__ = "dinamis_device_code"

    user_id = text(primary_key=True)
    secret = column(sa.LargeBinary, nullable=False)
    user_code = text(nullable=False)
    page = text(nullable=False)
    interval = column(sa.Integer, nullable=False)
    expires_at = moment(nullable=False)


class LicenceAcceptance(Base):
    """A person accepted one version of one licence, once."""

    __tablename__ = "dinamis_licence_acceptance"

    user_id = text(primary_key=True)
    licence = text(primary_key=True)
    version = text(primary_key=True)
    accepted_at = moment(nullable=False, default=utcnow)


class Download(Base):
    """A file for which a link was signed. ``signed_at`` is empty while the service is asked; ``call_id`` is shared by
    the files of one call.

    ``user_id`` is emptied when the person is erased; the figures of the organisation stay. ``theme``: what it is for,
    of ``use_cases.rules.THEMES``; empty when the person did not tell.
    """

    __tablename__ = "dinamis_download"

    id = column(sa.BigInteger, primary_key=True, autoincrement=True)
    call_id = text(nullable=False)
    user_id = text()
    organization_id = text(nullable=False)
    collection = text(nullable=False)
    item_id = text(nullable=False)
    asset_key = text(nullable=False)
    bytes = column(sa.BigInteger)
    theme = text()
    created_at = moment(nullable=False, default=utcnow)
    signed_at = moment()

    __table_args__ = (
        sa.Index("dinamis_download_under_way", call_id, postgresql_where=signed_at.is_(None)),
        sa.Index("dinamis_download_of_user", user_id, signed_at),
        sa.Index("dinamis_download_signed", organization_id, signed_at),
    )


class BasketScene(Base):
    """A scene that a person put aside to download."""

    __tablename__ = "dinamis_basket_scene"

    user_id = text(primary_key=True)
    collection = text(primary_key=True)
    item_id = text(primary_key=True)
    added_at = moment(nullable=False, default=utcnow)
