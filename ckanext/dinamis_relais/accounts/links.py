"""One-time links that are mailed: to confirm a request, and to open an account. Their tokens are kept hashed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa

from ckanext.dinamis_relais import config, onetime
from ckanext.dinamis_relais.accounts.model import Account, AccountLink
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway.secrets import one_time_token

status = onetime.status

REQUEST, INVITATION = "request", "invitation"


def _address(endpoint: str, token: str) -> str:
    return config.site_url() + tk.url_for(endpoint, token=token)


def for_request(email: str, fields: dict[str, Any]) -> str:
    """A link that confirms a request; the caller commits.

    :param fields: the request as validated, kept with the link until it is confirmed or wiped
    :returns: the link's address
    """
    token, hashed = one_time_token()
    until = utcnow() + dt.timedelta(hours=config.request_link_hours())
    session().add(AccountLink(kind=REQUEST, token_hash=hashed, email=email, fields=fields, expires_at=until))
    return _address("dinamis_joining.confirm", token)


def for_account(account: Account) -> str:
    """A link that opens an account; it replaces the earlier ones. The caller commits.

    :returns: the link's address
    """
    revoke(account)
    token, hashed = one_time_token()
    until = utcnow() + dt.timedelta(days=config.invitation_days())
    session().add(
        AccountLink(kind=INVITATION, token_hash=hashed, email=account.email, account_id=account.id, expires_at=until)
    )
    return _address("dinamis_joining.join", token)


def revoke(account: Account) -> None:
    """End the links of an account that were not used; the caller commits."""
    session().execute(
        sa.update(AccountLink)
        .where(AccountLink.account_id == account.id, AccountLink.used_at.is_(None), AccountLink.revoked_at.is_(None))
        .values(revoked_at=utcnow())
        .execution_options(synchronize_session=False)
    )


def by_token(kind: str, token: Any, lock: bool = False) -> AccountLink:
    """The link of a token.

    :param kind: ``request`` or ``invitation``
    :param lock: True to hold its row until the transaction ends
    :raises toolkit.ObjectNotFound: no such link; says nothing of what exists
    """
    return onetime.by_token(AccountLink, token, AccountLink.kind == kind, lock=lock)


def wipe_old() -> int:
    """Delete links of requests that nobody confirmed in time, and used or expired ones after 30 days.

    :returns: how many; the caller commits
    """
    month = utcnow() - dt.timedelta(days=30)
    lapsed = sa.and_(AccountLink.kind == REQUEST, AccountLink.expires_at < utcnow())
    done = session().execute(
        sa.delete(AccountLink)
        .where(sa.or_(lapsed, AccountLink.expires_at < month))
        .execution_options(synchronize_session=False)
    )
    return done.rowcount
