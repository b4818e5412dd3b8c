"""What the dictionaries of accounts need besides their rows: read for a whole page of them by one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB

from ckanext.dinamis_relais import config, membership
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import LIVE, MACHINE, OPEN
from ckanext.dinamis_relais.accounts.signals import Facts, Signal, domain_of, signals
from ckanext.dinamis_relais.authority import Rights
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway.model import Mail

#: When a user was last seen, in UTC without a zone; CKAN maps the column where its types do not show it.
LAST_ACTIVE: Any = cast(Any, model.User).last_active
_RUNNING = (*OPEN, "suspended")
#: Another account than the one that is looked at.
_other: Any = Account.__table__.alias("other")


class Known:
    """What is known around some accounts.

    :param rows: the accounts, as objects or as rows of their table
    :param user: who looks; None for somebody without rights
    """

    def __init__(self, rows: Sequence[Any], user: model.User | None):
        self.rights = Rights(user)
        self._public = config.public_mailboxes()
        days, states = config.dormant_days(), {row.state for row in rows}
        values = {"ids": [row.id for row in rows], "since": utcnow() - dt.timedelta(days=days)}
        statement = _statement(days > 0 and not states.isdisjoint(OPEN), MACHINE.initial in states)
        found = session().execute(statement, values) if rows else ()
        self._around = {one.id: one for one in found}

    def around(self, row: Any) -> Any:
        """The columns of :func:`_statement` for one of the accounts."""
        return self._around[row.id]

    def moderates(self, row: Any) -> bool:
        """Whether who looks decides on this account."""
        return self.rights.can("account.moderate", row.organization_id)

    def signals(self, row: Any) -> list[Signal]:
        """What helps to decide on a request, the gravest first; nothing for an account that was decided on."""
        one = self.around(row)
        # Without them, it was decided on since its row was read.
        if row.state != MACHINE.initial or one.addresses is None:
            return []
        same = one.same_address or ()
        elsewhere = (title for state, title, other in same if other and title and state in _RUNNING)
        named = {domain_of(address.lower()) for address in one.addresses if address}
        return signals(Facts(
            row.email,
            frozenset(named.union(one.domains)),
            self._public,
            one.membership == "active",
            row.email_verified_at is not None,
            row.origin == "person",
            one.login,
            tuple(sorted(elsewhere)),
            sum(state == "refused" for state, _title, _other in same),
            one.namesake,
        ))  # fmt: skip


def dormant_clause(since: Any) -> Any:
    """SQL: an account that runs and whose person has not come since a moment.

    :param since: in UTC, a value or an SQL expression
    """
    user = cast(Any, model.User).__table__.alias("visitor")
    visited = sa.select(user.c.id).where(
        user.c.id == Account.user_id, user.c.last_active >= sa.func.timezone("UTC", since)
    )
    return sa.and_(
        Account.state.in_(OPEN),
        Account.validated_at < since,
        sa.or_(Account.kept_at.is_(None), Account.kept_at < since),
        ~_correlated(visited).exists(),
    )


@lru_cache(maxsize=4)
def _statement(dormancy: bool, asked: bool) -> Any:
    """The ``select`` of what is known around accounts, by the parameters ``ids`` and ``since`` (UTC).

    Made once: SQLAlchemy takes longer to put it together than PostgreSQL to answer it. What helps to decide is looked
    for only where there is something to decide; PostgreSQL plans it as long as it runs, so it is left out where no
    row needs it.

    :param dormancy: whether an account among them runs, and running ones may be dormant
    :param asked: whether an account among them is to be decided on
    """
    group, user = cast(Any, model.Group), cast(Any, model.User)

    def if_asked(value: Any, name: str) -> Any:
        return (sa.case((Account.state == MACHINE.initial, value)) if asked else sa.null()).label(name)

    since = sa.bindparam("since", type_=sa.DateTime(timezone=True))
    columns = (
        Account.id,
        group.name.label("group_name"),
        group.title.label("group_title"),
        user.name.label("user_name"),
        LAST_ACTIVE.label("last_active"),
        sa.case((Account.user_id.is_(None), _login())).label("login"),
        _mail_problem().label("mail_problem"),
        (dormant_clause(since) if dormancy else sa.false()).label("dormant"),
        if_asked(membership.state_of(Account.__table__.c.organization_id), "membership"),
        if_asked(membership.addresses_of(Account.__table__.c.organization_id), "addresses"),
        if_asked(_domains(), "domains"),
        if_asked(_same_address(), "same_address"),
        if_asked(_namesake(), "namesake"),
    )
    joined = sa.outerjoin(Account, group, group.id == Account.organization_id).outerjoin(
        user, user.id == Account.user_id
    )
    return sa.select(*columns).select_from(joined).where(Account.id.in_(sa.bindparam("ids", expanding=True)))


def _correlated(query: Any) -> Any:
    return query.correlate(Account.__table__)


def _login() -> Any:
    """SQL: name of the active CKAN user who has the account's address."""
    user = cast(Any, model.User).__table__.alias("login")
    query = sa.select(user.c.name).where(sa.func.lower(user.c.email) == Account.email, user.c.state == "active")
    return _correlated(query.limit(1)).scalar_subquery()


def _mail_problem() -> Any:
    """SQL: why a message could not be delivered to the account's present address."""
    query = sa.select(sa.func.coalesce(Mail.last_error, "")).where(
        Mail.object_type == "account", Mail.object_id == Account.id, Mail.failed_at.is_not(None),
        Mail.recipient == Account.email,
    )  # fmt: skip
    return _correlated(query.limit(1)).scalar_subquery()


def _domains() -> Any:
    """SQL: domains of the organisation's accounts that were validated; a request's own is none."""
    query = sa.select(sa.func.split_part(_other.c.email, "@", 2)).distinct()
    own = query.where(_other.c.organization_id == Account.organization_id, _other.c.state.in_(_RUNNING))
    return sa.func.array(_correlated(own).scalar_subquery())


def _same_address() -> Any:
    """SQL: the other accounts of the address, each as [state, its organisation's title, whether that is another one].

    All that is asked of them, in one: PostgreSQL takes longer to plan such a question than to answer it.
    """
    place = cast(Any, model.Group).__table__.alias("place")
    elsewhere = _other.c.organization_id != Account.organization_id
    each = sa.func.jsonb_build_array(_other.c.state, place.c.title, elsewhere)
    query = sa.select(sa.func.jsonb_agg(each, type_=JSONB)).select_from(
        _other.outerjoin(place, place.c.id == _other.c.organization_id)
    )
    return _correlated(query.where(_other.c.email == Account.email, _other.c.id != Account.id)).scalar_subquery()


def _full_name(table: Any) -> Any:
    return sa.func.lower(table.given_name + " " + table.family_name)


def _namesake() -> Any:
    """SQL: whether another live account of the organisation bears the same name."""
    query = sa.select(_other.c.id).where(
        _other.c.organization_id == Account.organization_id, _other.c.state.in_(LIVE), _other.c.id != Account.id,
        _full_name(_other.c) == _full_name(Account),
    )  # fmt: skip
    return _correlated(query).exists()
