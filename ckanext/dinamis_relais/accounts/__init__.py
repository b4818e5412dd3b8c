"""A person of a partner gets an account: request, moderation, delivery to DINAMIS, end.

Other rooms call :func:`suspend_for_membership` and :func:`resume_for_membership`, in their own transaction, and ask
:func:`is_open`, :func:`active_organizations` and :func:`states_of`.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["active_organizations", "is_open", "resume_for_membership", "states_of", "suspend_for_membership"]


def is_open(user_id: str, organization_id: str) -> bool:
    """Whether a person holds an account of this organisation that runs, and accepted the charter of use in force.

    A role alone does not tell: an editor of the organisation's catalogue is a member of it in CKAN, with a suspended
    account or with none.

    :param user_id: id of the CKAN user
    """
    import sqlalchemy as sa

    from ckanext.dinamis_relais import config
    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.accounts.rules import OPEN
    from ckanext.dinamis_relais.db import session

    query = sa.select(Account.id).where(
        Account.user_id == user_id,
        Account.organization_id == organization_id,
        Account.state.in_(OPEN),
        Account.charter_version == config.user_charter_version(),
    )
    return session().execute(query).first() is not None


def active_organizations(user_id: str, *, locked: bool = False) -> list[str]:
    """Organisations for which a person may use DINAMIS's services: an active account, the charter in force accepted.

    :param user_id: id of the CKAN user
    :param locked: keep the accounts from ending before the caller's transaction does
    :returns: ids, the oldest account first
    """
    import sqlalchemy as sa

    from ckanext.dinamis_relais import config
    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.db import session

    query = sa.select(Account.organization_id).where(
        Account.user_id == user_id,
        Account.state == "active",
        Account.charter_version == config.user_charter_version(),
    )
    query = query.order_by(Account.created_at)
    return list(session().execute(query.with_for_update(read=True) if locked else query).scalars())


def states_of(user_id: str) -> list[str]:
    """States of a person's accounts, of all organisations; empty for a login without one.

    :param user_id: id of the CKAN user
    """
    import sqlalchemy as sa

    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.db import session

    return list(session().execute(sa.select(Account.state).where(Account.user_id == user_id)).scalars())


def _of(organization_id: str, states: tuple[str, ...]) -> list:
    import sqlalchemy as sa

    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.db import session

    query = sa.select(Account).where(Account.organization_id == organization_id, Account.state.in_(states))
    return list(session().execute(query.order_by(Account.id).with_for_update()).scalars())


def suspend_for_membership(organization_id: str, actor: str, reason: str) -> int:
    """Suspend the accounts of an organisation with its membership.

    :returns: how many; the caller commits
    """
    from ckanext.dinamis_relais.accounts import effects

    accounts = _of(organization_id, ("validated", "active"))
    for account in accounts:
        account.suspended_with_membership = True
        effects.apply(account, "suspend", actor, reason or "-")
    return len(accounts)


def resume_for_membership(organization_id: str, actor: str, reason: str) -> int:
    """Resume those accounts, and only those, that were suspended with the membership.

    :returns: how many; the caller commits
    """
    from ckanext.dinamis_relais.accounts import effects
    from ckanext.dinamis_relais.db import session

    session().flush()
    accounts = [a for a in _of(organization_id, ("suspended",)) if a.suspended_with_membership]
    for account in accounts:
        effects.apply(account, "resume", actor, reason)
    return len(accounts)


def counts_of(organization_ids: Iterable[str]) -> dict[str, int]:
    """How many people of each organisation may use the images now; organisations without one are left out."""
    import sqlalchemy as sa

    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.accounts.rules import OPEN
    from ckanext.dinamis_relais.db import session

    query = sa.select(Account.organization_id, sa.func.count()).where(
        Account.organization_id.in_(list(organization_ids)), Account.state.in_(OPEN)
    )
    return dict(session().execute(query.group_by(Account.organization_id)).all())
