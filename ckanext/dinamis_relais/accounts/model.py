"""Accounts: a person of a partner, from the request to the end. The CKAN user is made on validation only."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, Deliverable, column, json_column, moment, new_id, text, utcnow


class Account(Base, Deliverable):
    """One person's account for one organisation."""

    __tablename__ = "dinamis_account"

    id = text(primary_key=True, default=new_id)
    state = text(nullable=False, default="requested", index=True)
    state_since = moment(nullable=False, default=utcnow)
    organization_id = text(nullable=False, index=True)
    membership_id = text(nullable=False)
    user_id = text(index=True)
    email = text(nullable=False, index=True)
    given_name = text(nullable=False)
    family_name = text(nullable=False)
    function = text(nullable=False, default="")
    purpose = text(nullable=False, default="")
    role = text(nullable=False, default="member")
    ends_on = column(sa.Date)
    reason = text()
    suspended_with_membership = column(sa.Boolean, nullable=False, default=False)
    reference = text()
    created_at = moment(nullable=False, default=utcnow)
    created_by = text(nullable=False)
    validated_at = moment()
    validated_by = text()
    origin = text(nullable=False, default="pigma")
    user_is_ours = column(sa.Boolean, nullable=False, default=False)
    email_verified_at = moment()
    charter_version = text()
    charter_accepted_at = moment()
    kept_at = moment()
    erasure_requested_at = moment()
    erased_at = moment()


class AccountLink(Base):
    """A one-time link that was mailed: to confirm a request (``request``), or to open an account (``invitation``).

    Only the token's hash is kept. ``fields`` holds a request that nobody has confirmed yet: it is no account, and it
    is wiped with the link.
    """

    __tablename__ = "dinamis_account_link"

    id = text(primary_key=True, default=new_id)
    kind = text(nullable=False)
    token_hash = text(nullable=False, unique=True)
    email = text(nullable=False, index=True)
    account_id = text(index=True)
    fields = json_column()
    created_at = moment(nullable=False, default=utcnow)
    expires_at = moment(nullable=False)
    used_at = moment()
    revoked_at = moment()


class SessionEnd(Base):
    """The moment at which all sessions of a CKAN user that had begun were ended."""

    __tablename__ = "dinamis_session_end"

    user_id = text(primary_key=True)
    at = moment(nullable=False)
