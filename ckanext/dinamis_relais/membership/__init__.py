"""A partner joins: entity details, files, signature, eligibility, decision, membership.

Other rooms ask :func:`active_members`, :func:`named_in_files` and :func:`notes_by`, put :func:`state_of` and
:func:`addresses_of` into their own statements, and call :func:`replace_referent` in their own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["active_members", "addresses_of", "named_in_files", "notes_by", "replace_referent", "state_of"]


def state_of(organization_id: Any) -> Any:
    """SQL: state of the membership that an organisation has or had; NULL for none.

    :param organization_id: a column of the statement that this becomes a part of
    """
    import sqlalchemy as sa

    from ckanext.dinamis_relais.membership.model import Membership

    query = sa.select(Membership.state).where(Membership.organization_id == organization_id)
    return query.correlate(organization_id.table).scalar_subquery()


def addresses_of(organization_id: Any) -> Any:
    """SQL: array of the e-mail addresses of representatives and referents in an organisation's files; some are NULL.

    :param organization_id: a column of the statement that this becomes a part of
    """
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import array

    from ckanext.dinamis_relais.membership.model import Application

    both = array([Application.representative["email"].astext, Application.referent["email"].astext])
    query = sa.select(sa.func.unnest(both)).where(Application.organization_id == organization_id)
    return sa.func.array(query.correlate(organization_id.table).scalar_subquery())


def replace_referent(organization_id: str, person: dict[str, str]) -> int:
    """Name another referent in the organisation's files that still run; the caller commits and journals.

    :param person: ``{"given_name", "family_name", "email"}``
    :returns: how many files
    """
    import sqlalchemy as sa

    from ckanext.dinamis_relais.db import session
    from ckanext.dinamis_relais.membership.machines import APPLICATION
    from ckanext.dinamis_relais.membership.model import Application

    running = [state for state in APPLICATION.states if APPLICATION.allowed(state)] + ["accepted"]
    query = sa.select(Application).where(Application.organization_id == organization_id, Application.state.in_(running))
    files = list(session().execute(query.with_for_update()).scalars())
    for file in files:
        file.referent = {**file.referent, **person}
    return len(files)


def named_in_files(addresses: Iterable[str]) -> list[dict[str, Any]]:
    """Where files of organisations name a person as representative or referent, with what they say of them.

    What stands on a signed paper stays with it: it is told, not erased.

    :param addresses: e-mail addresses of the person, in lower case
    """
    import sqlalchemy as sa

    from ckanext.dinamis_relais.db import session
    from ckanext.dinamis_relais.membership.model import Application

    sought = set(addresses)
    columns = [getattr(Application, place)["email"].astext for place in ("representative", "referent")]
    query = sa.select(Application).where(sa.or_(*(sa.func.lower(c).in_(sought) for c in columns)))
    return [
        {"application_id": row.id, "as": place, **getattr(row, place)}
        for row in session().execute(query).scalars()
        for place in ("representative", "referent")
        if str(getattr(row, place).get("email", "")).lower() in sought
    ]


def notes_by(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The notes that some logins of PIGMA wrote on files, for the export of what is held on a person."""
    from ckanext.dinamis_relais.membership.notes import written_by

    return written_by(user_ids)


def active_members(q: str = "", limit: int | None = None) -> list[dict[str, str]]:
    """Organisations whose membership is active, by title.

    :param q: part of the title
    :returns: ``{"id", "name", "title", "siren"}`` each
    """
    import sqlalchemy as sa
    from ckan.model import Group

    from ckanext.dinamis_relais.db import session
    from ckanext.dinamis_relais.membership.model import Application, Membership

    query = (
        sa.select(Group.id, Group.name, Group.title, Application.siren)
        .join(Membership, Membership.organization_id == Group.id)
        .join(Application, Application.id == Membership.application_id)
        .where(Membership.state == "active")
    )
    if q:
        query = query.where(sa.func.lower(Group.title).contains(q.lower(), autoescape=True))
    rows = session().execute(query.order_by(Group.title).limit(limit))
    return [{"id": r[0], "name": r[1], "title": r[2], "siren": r[3]} for r in rows]
