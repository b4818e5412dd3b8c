"""Use cases as they are read; who may read what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.authority import Rights, organizations_of, user_of
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.schema import listed, validated
from ckanext.dinamis_relais.use_cases import datasets, pictures, schema
from ckanext.dinamis_relais.use_cases.model import UseCase
from ckanext.dinamis_relais.use_cases.rules import CHANGED_BY, MACHINE

__all__ = ["dinamis_use_case_list", "dinamis_use_case_show"]

_PUBLISH, _PROPOSE = "use_case.publish", "use_case.propose"


def found(id_: Any) -> UseCase:
    """A use case by its id, or by its dataset's name.

    :raises toolkit.ObjectNotFound: there is none
    """
    package = model.Package.get(str(id_))
    row = session().get(UseCase, package.id) if package is not None and package.state == "active" else None
    if row is None:
        raise tk.ObjectNotFound(tk._("This use case does not exist."))
    return row


def for_organization(user: model.User | None, rights: Rights, organization_id: str) -> bool:
    """Whether a person writes for an organisation: PIGMA for any, the others with an account that is active there."""
    if user is None or not rights.can(_PROPOSE, organization_id):
        return False
    return rights.can(_PUBLISH) or organization_id in active_organizations(user.id)


def may(row: UseCase, verb: str, user: model.User | None, rights: Rights) -> bool:
    """Whether a person holds a verb for a use case."""
    return for_organization(user, rights, row.organization_id) if verb == _PROPOSE else rights.can(verb)


def reads(row: UseCase, rights: Rights) -> bool:
    """Everybody what is published; PIGMA and the organisation's people the rest."""
    return row.state == "published" or rights.can(_PUBLISH) or rights.can(_PROPOSE, row.organization_id)


class Known:
    """What the answers on several use cases need, read once for all of them."""

    def __init__(self, rows: Sequence[UseCase], user: model.User | None):
        ids = [row.id for row in rows]
        self.user, self.rights = user, Rights(user)
        packages = session().execute(sa.select(model.Package).where(model.Package.id.in_(ids))).scalars()
        self.texts = datasets.texts_of(packages)
        self.pictures = pictures.known(ids)
        self.series = datasets.titles({id_ for row in rows for id_ in row.series})
        columns = (model.Group.id, model.Group.name, model.Group.title)
        groups = sa.select(*columns).where(model.Group.id.in_({row.organization_id for row in rows}))
        self.organizations = {id_: (name, title or name) for id_, name, title in session().execute(groups)}


def dictize(row: UseCase, known: Known) -> dict[str, Any]:
    """A use case as the actions answer it; the reason and the author only for those who work on it."""
    texts = known.texts[row.id]
    page = f"{config.site_url()}/dinamis/use-cases/{texts['name']}"
    name, title = known.organizations.get(row.organization_id, ("", ""))
    picture = known.pictures.get(row.id)
    inside = known.rights.can(_PUBLISH) or known.rights.can(_PROPOSE, row.organization_id)
    allowed = [one for one in MACHINE.allowed(row.state) if may(row, one.verb, known.user, known.rights)]
    changing = CHANGED_BY.get(row.state)
    author = model.User.get(row.author_id) if inside and row.author_id else None
    return {
        "id": row.id, "state": row.state, **texts, "themes": row.themes,
        "series": [
            {"id": id_, "name": known.series[id_][0], "title": known.series[id_][1]}
            for id_ in row.series
            if id_ in known.series
        ],
        "organization_id": row.organization_id, "organization_name": name, "organization_title": title,
        "author": (author.fullname or author.name) if author is not None else None,
        "reason": row.reason if inside else None, "state_since": isoformat(row.state_since),
        "published_at": isoformat(row.published_at), "updated_at": isoformat(row.updated_at),
        "picture": f"{page}/picture" if picture else None, "picture_id": picture, "url": page,
        "transitions": [{"name": one.name, "reason": one.reason} for one in allowed],
        "may_change": bool(changing) and may(row, str(changing), known.user, known.rights),
    }  # fmt: skip


def whole(row: UseCase, context: Context) -> dict[str, Any]:
    """One use case, as an action answers it."""
    return dictize(row, Known([row], user_of(context)))


@tk.side_effect_free
def dinamis_use_case_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A use case; what is not published only for PIGMA and the organisation's people.

    :param id: its id, or the name of its dataset
    :returns: its texts (``result`` in Markdown), ``series`` with their titles, ``picture`` (its address),
        ``transitions`` that who asks may take
    """
    tk.check_access("dinamis_use_case_show", context, data_dict)
    row = found(tk.get_or_bust(data_dict, "id"))
    if not reads(row, Rights(user_of(context))):
        raise tk.ObjectNotFound(tk._("This use case does not exist."))
    return whole(row, context)


def _readable(user: model.User | None, rights: Rights) -> Any:
    if rights.can(_PUBLISH):
        return sa.true()
    own = UseCase.organization_id.in_(organizations_of(user))
    return sa.or_(UseCase.state == "published", own)


@tk.side_effect_free
def dinamis_use_case_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Use cases: what is published, the newest first; for PIGMA and an organisation's people also the rest.

    :param state: one state, or several separated by commas; ``published`` by default, ``all`` for any
    :param theme: one of ``rules.THEMES``, or several separated by commas
    :param series: id or name of a series' dataset
    :param organization_id: of one organisation
    :param mine: True for those of one's own organisations
    :param q: part of the title or of the summary
    :returns: ``{"count", "results", "states", "themes"}``; ``states`` counts the readable ones, ``themes`` those of
        the states asked for
    """
    tk.check_access("dinamis_use_case_list", context, data_dict)
    params = validated(data_dict, schema.searched(), context)
    user = user_of(context)
    rights = Rights(user)
    query = sa.select(UseCase).join(model.Package, model.Package.id == UseCase.id)
    query = query.where(model.Package.state == "active", _readable(user, rights))
    if params.get("mine"):
        query = query.where(UseCase.organization_id.in_(organizations_of(user)))
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(UseCase.organization_id == (group.id if group else ""))
    if params.get("q"):
        sought, places = params["q"].strip().lower(), (model.Package.title, model.Package.notes)
        matching = (sa.func.lower(one).contains(sought, autoescape=True) for one in places)
        query = query.where(sa.or_(*matching))
    if params.get("series"):
        package = model.Package.get(params["series"])
        query = query.where(UseCase.series.contains([package.id if package else ""]))
    states = _counts(query, UseCase.state)
    wanted = params.get("state") or "published"
    if wanted != "all":
        query = query.where(UseCase.state.in_(wanted.split(",")))
    themes = _counts(query, sa.func.jsonb_array_elements_text(UseCase.themes))
    if params.get("theme"):
        query = query.where(sa.or_(*(UseCase.themes.contains([one]) for one in params["theme"].split(","))))
    order = [sa.func.coalesce(UseCase.published_at, UseCase.state_since).desc(), UseCase.id]
    if wanted == "proposed":  # PIGMA's queue: who waits for longest comes first
        order = [UseCase.state_since, UseCase.id]
    page = listed(query, params, order, lambda row: row)
    known = Known(page["results"], user)
    results = [dictize(row, known) for row in page["results"]]
    return {"count": page["count"], "results": results, "states": states, "themes": themes}


def _counts(query: Any, column: Any) -> dict[str, int]:
    counted = query.with_only_columns(column.label("word"), sa.func.count()).group_by(sa.text("word"))
    return dict(session().execute(counted).all())
