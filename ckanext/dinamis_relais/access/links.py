"""A person's DINAMIS login: linked, renewed, unlinked. Its secrets never leave this module but as headers."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.access import rules
from ckanext.dinamis_relais.access.handed import forget
from ckanext.dinamis_relais.access.model import DeviceCode, IdentityLink
from ckanext.dinamis_relais.access.service import NeedsLoginError, SigningService, Tokens
from ckanext.dinamis_relais.db import new_id, session, utcnow
from ckanext.dinamis_relais.gateway.secrets import decrypt, encrypt
from ckanext.dinamis_relais.journal import Event, record

#: How long one request may keep the others from renewing the same token.
LEASE = dt.timedelta(seconds=45)
#: Seconds between two looks while another request renews, and how many.
PAUSE, LOOKS = 0.25, 60


def service() -> SigningService:
    """A client of the configured signing service."""
    return SigningService(config.signing_url(), config.signing_client_id(), config.signing_scope(),
                          config.private_hosts())  # fmt: skip


def of(user_id: str) -> IdentityLink | None:
    """A person's link, read anew."""
    query = sa.select(IdentityLink).where(IdentityLink.user_id == user_id)
    return session().execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


def token_secret(tokens: Tokens) -> dict[str, Any]:
    """Tokens as they are encrypted."""
    return {"access": tokens.access, "refresh": tokens.refresh, "access_until": tokens.access_until.isoformat()}


def store(user_id: str, kind: str, secret: dict[str, Any], username: str | None, until: dt.datetime | None) -> None:
    """Keep a new link in place of an older one; the caller commits."""
    row = of(user_id) or IdentityLink(user_id=user_id)
    if row.id:
        forget(row.id)
    row.id, row.kind, row.secret, row.username = new_id(), kind, encrypt(secret), username
    row.version, row.linked_at, row.used_at, row.expires_at = 1, utcnow(), None, until
    row.refused_at = row.lease_until = None
    session().add(row)
    session().execute(sa.delete(DeviceCode).where(DeviceCode.user_id == user_id))
    record(Event.IDENTITY_LINKED, user_id, "identity", user_id, kind=kind)


def unlink(user_id: str, actor: str, cause: str) -> bool:
    """Forget a person's login, a link under way, and the signed links kept for them; the caller commits.

    :param cause: ``person``, ``account_ended`` or ``erased``
    :returns: whether there was a link
    """
    session().execute(sa.delete(DeviceCode).where(DeviceCode.user_id == user_id))
    row = of(user_id)
    if row is None:
        return False
    forget(row.id)
    session().delete(row)
    session().flush()
    record(Event.IDENTITY_UNLINKED, actor, "identity", user_id, cause=cause)
    return True


def refused(user_id: str, link_id: str) -> None:
    """Note that DINAMIS no longer takes this link, and commit."""
    row = of(user_id)
    if row is not None and row.id == link_id and row.refused_at is None:
        row.refused_at = utcnow()
        record(Event.IDENTITY_REFUSED, "dinamis", "identity", user_id)
    session().commit()


def headers(user_id: str, client: SigningService) -> dict[str, str]:
    """What authenticates a person at the signing service, renewed first when its time is nearly over.

    Network; no transaction is open before or after.

    :raises NeedsLoginError: there is no link, or DINAMIS no longer takes it
    :raises access.service.ServiceError: the token could not be renewed
    """
    for _ in range(LOOKS):
        row = of(user_id)
        if row is None or row.refused_at is not None:
            session().rollback()
            raise NeedsLoginError("no link")
        link_id, version, secret = row.id, row.version, decrypt(row.secret)
        if row.kind == "keys":
            session().rollback()
            return {"access-key": secret["access_key"], "secret-key": secret["secret_key"]}
        if dt.datetime.fromisoformat(secret["access_until"]) - utcnow() > rules.TOKEN_MARGIN:
            session().rollback()
            return {"Authorization": f"Bearer {secret['access']}"}
        if _lease(user_id, link_id, version):
            _renew(user_id, link_id, version, secret["refresh"], client)
        else:
            time.sleep(PAUSE)
    raise NeedsLoginError("not renewed in time")


def _lease(user_id: str, link_id: str, version: int) -> bool:
    """Whether this request is the one that renews, committed."""
    same = (IdentityLink.user_id == user_id, IdentityLink.id == link_id, IdentityLink.version == version)
    free = sa.or_(IdentityLink.lease_until.is_(None), IdentityLink.lease_until < utcnow())
    taken = session().execute(
        sa.update(IdentityLink).where(*same, free).values(lease_until=utcnow() + LEASE)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    session().commit()
    return taken.rowcount == 1


def _renew(user_id: str, link_id: str, version: int, refresh: str, client: SigningService) -> None:
    values: dict[str, Any] = {"lease_until": None}
    try:
        tokens = client.refresh(refresh)
        values |= {"secret": encrypt(token_secret(tokens)), "version": version + 1, "refused_at": None}
        if tokens.renewable_until:
            values["expires_at"] = tokens.renewable_until
    except NeedsLoginError:
        refused(user_id, link_id)
        raise
    finally:
        same = (IdentityLink.user_id == user_id, IdentityLink.id == link_id, IdentityLink.version == version)
        session().execute(
            sa.update(IdentityLink).where(*same).values(**values).execution_options(synchronize_session=False)
        )
        session().commit()


def renew_soon(margin: dt.timedelta = dt.timedelta(days=3)) -> int:
    """Renew the logins whose own end is near, so that a person who comes rarely need not link again.

    :returns: how many were renewed or given up
    """
    from ckanext.dinamis_relais.access.service import ServiceError

    near = sa.select(IdentityLink.user_id, IdentityLink.id, IdentityLink.version, IdentityLink.secret).where(
        IdentityLink.kind == "device", IdentityLink.refused_at.is_(None), IdentityLink.expires_at < utcnow() + margin,
        sa.or_(IdentityLink.lease_until.is_(None), IdentityLink.lease_until < utcnow()),
    )  # fmt: skip
    rows = session().execute(near.limit(20)).all()
    session().rollback()
    done = 0
    for user_id, link_id, version, secret in rows:
        if not _lease(user_id, link_id, version):
            continue
        try:
            _renew(user_id, link_id, version, decrypt(secret)["refresh"], service())
            done += 1
        except ServiceError:
            # Nothing is lost: it is tried again at the next use, and a refusal is noted on the link.
            _pause_renewal(user_id, link_id)
    return done


def _pause_renewal(user_id: str, link_id: str) -> None:
    session().execute(
        sa.update(IdentityLink).where(IdentityLink.user_id == user_id, IdentityLink.id == link_id)
        .values(lease_until=utcnow() + dt.timedelta(minutes=10)).execution_options(synchronize_session=False)
    )  # fmt: skip
    session().commit()


def encrypt_anew() -> int:
    """Encrypt all that is kept with the newest of ``secret_keys``, so that an older key may be dropped; commits.

    :returns: how many rows
    """
    done = 0
    for table in (IdentityLink, DeviceCode):
        for row in session().execute(sa.select(table).with_for_update()).scalars():
            row.secret = encrypt(decrypt(row.secret))
            done += 1
    session().commit()
    return done
