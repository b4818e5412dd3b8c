"""Accounts: a person of a partner, from the request to the end. The CKAN user is made on validation only."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, Deliverable, column, moment, new_id, text, utcnow


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
