"""The members as anyone may know them: what is public of an organisation, nothing of its people. One query a page."""

from __future__ import annotations

import re
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.membership.applications import Data
from ckanext.dinamis_relais.membership.model import Application, Membership
from ckanext.dinamis_relais.portal.figures import department
from ckanext.dinamis_relais.schema import list_schema, validated

_GROUP: Any = cast(Any, model.Group).__table__
_OFFICE = "dinamis_referent_office"


def _office() -> Any:
    """The office to contact, a descriptor that the organisation publishes; CKAN 2.11 keeps those in a table."""
    if "extras" in _GROUP.c:
        return _GROUP.c.extras[_OFFICE].astext
    extra: Any = cast(Any, model).GroupExtra.__table__.c
    own = sa.and_(extra.group_id == _GROUP.c.id, extra.key == _OFFICE, extra.state == "active")
    return sa.select(extra.value).where(own).limit(1).scalar_subquery()


def _shown(row: Any) -> Data:
    found = dict(row._mapping)
    place = department(found["territory_kind"], found["territory_code"])
    return {**found, "department": place, "since": isoformat(found["since"])}


@tk.side_effect_free
def dinamis_member_list(context: Context, data_dict: Data) -> Data:
    """The organisations whose membership is active, by title: the same answer for everyone.

    :param q: part of the organisation's name, or its SIREN
    :returns: ``{"count", "results"}``, each ``{organization_id, organization_name, organization_title, siren, since,
        territory_kind, territory_code, territory_name, department, office}``; ``department`` is Insee's code, None
        where the territory does not tell it
    """
    tk.check_access("dinamis_member_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    file, member, group = Application.__table__.c, Membership.__table__.c, _GROUP.c
    joined = sa.join(_GROUP, Membership.__table__, member.organization_id == group.id)
    joined = joined.join(Application.__table__, file.id == member.application_id)
    query = sa.select(
        group.id.label("organization_id"), group.name.label("organization_name"),
        sa.func.coalesce(sa.func.nullif(group.title, ""), group.name).label("organization_title"),
        file.siren, member.since, file.territory_kind, file.territory_code, file.territory_name,
        _office().label("office"),
    ).select_from(joined)  # fmt: skip
    query = query.where(member.state == "active", group.state == "active")
    text = (params.get("q") or "").strip()
    if text:
        number = re.sub(r"[\s.\u00a0\u202f-]", "", text)
        named = sa.func.lower(group.title).contains(text.lower(), autoescape=True)
        query = query.where(sa.or_(named, file.siren == number))
    db = session()
    count = db.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar()
    rows = db.execute(query.order_by(group.title, group.id).limit(params["limit"]).offset(params["offset"]))
    return {"count": count, "results": [_shown(row) for row in rows]}
