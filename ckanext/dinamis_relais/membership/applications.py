"""The actions on files: create, change, show, list, claim, and the one transition call."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import db
from ckanext.dinamis_relais.authority import Role, actor_of, can, organizations_of, user_of
from ckanext.dinamis_relais.db import new_id, session, utcnow
from ckanext.dinamis_relais.journal import Event, lines, record
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.membership import deeds, dictize, effects, entities, kinds
from ckanext.dinamis_relais.membership.machines import APPLICATION, EDITABLE_STATES
from ckanext.dinamis_relais.membership.model import Application
from ckanext.dinamis_relais.membership.schema import FIELDS, create_schema, fields_schema
from ckanext.dinamis_relais.schema import list_schema, listed, validated
from ckanext.dinamis_relais.transaction import one_commit

Data = dict[str, Any]


def locked(application_id: str) -> Application:
    """A file, its row locked until the commit, read anew.

    :raises toolkit.ObjectNotFound: no such file
    """
    return db.locked(Application, application_id, tk._("This file does not exist."))


def _check_entity(siren: str | None) -> tuple[Any, Data | None]:
    """Ask Recherche d'entreprises, with no transaction open: (time of the check or None, the entity).

    :raises toolkit.ValidationError: the service answered that it knows no such SIREN
    """
    if not siren:
        return None, None
    session().rollback()
    available, entity = entities.check(siren)
    if available and entity is None:
        raise tk.ValidationError(
            {
                "siren": [
                    tk._("Recherche d'entreprises knows no entity with the SIREN {siren}. Check the number.").format(
                        siren=siren
                    )
                ]
            }
        )
    return (utcnow() if available else None), entity


def _fill(row: Application, data: Data, entity: Data | None) -> None:
    for name in FIELDS:
        if name in data:
            setattr(row, name, data[name])
    if entity:
        row.siret = row.siret or entity["siret"]
        row.legal_category = entity["legal_category"] or row.legal_category
        row.address = row.address or entity["address"]


def _slug(title: str) -> str:
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_title).strip("-")[:90]


def _new_organization(title: str, siren: str | None) -> str:
    """Make the partner's organisation in the present transaction; its id."""
    name = _slug(title) or "structure"
    if model.Group.get(name) is not None:
        name = f"{name}-{siren or new_id()[:8]}"
    site = tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})
    context: Any = {"ignore_auth": True, "defer_commit": True, "user": site["name"]}
    fields = {"name": name, "title": title, **({"dinamis_siren": siren} if siren else {})}
    return tk.get_action("organization_create")(context, fields)["id"]


def dinamis_application_create(context: Context, data_dict: Data) -> Data:
    """Open a file (``draft``); it may be incomplete.

    :param organization_id: name or id; or ``organization_title`` to make the organisation with the file
    :param kind: ``first`` (default); or of a member, ``renewal`` (some weeks before its term ends), ``reacceptance``
        (the texts have a new version) or ``change``, which take over the details that stand
    :param siren: checked with Recherche d'entreprises; when that does not answer, the file waits for its decision
    :param representative: ``{given_name, family_name, function, email, phone}``; also ``referent``
    :returns: the file
    """
    tk.check_access("dinamis_application_create", context, data_dict)
    data = validated(data_dict, create_schema(), context)
    title = (data.get("organization_title") or "").strip()
    if not data.get("organization_id") and not title:
        raise tk.ValidationError({"organization_id": [tk._("Choose an organisation, or give the name of a new one.")]})
    actor = actor_of(context)
    checked_at, entity = _check_entity(data.get("siren"))
    organization_id = data.get("organization_id") or _new_organization(title, data.get("siren"))
    # Locks the organisation: two people who open a file for it at once make one.
    session().execute(sa.select(model.Group.id).where(model.Group.id == organization_id).with_for_update())
    kinds.check(organization_id, data["kind"])
    row = Application(
        id=new_id(), organization_id=organization_id, kind=data["kind"], state=APPLICATION.initial,
        created_by=actor,
        **{"representative": {}, "referent": {}, "eligibility": {}, "entity_checked_at": None,
           **dict.fromkeys(("siren", "siret", "legal_category", "category", "justification", "address",
                            "territory_kind", "territory_code", "territory_name"), ""),
           **kinds.carried_over(organization_id, data["kind"])},
    )  # fmt: skip
    if data.get("siren"):
        row.entity_checked_at = checked_at
    _fill(row, data, entity)
    session().add(row)
    session().flush()
    record(Event.APPLICATION_CREATED, actor, "application", row.id, organization_id, kind=row.kind)
    session().commit()
    return dictize.application(row, user_of(context))


def dinamis_application_update(context: Context, data_dict: Data) -> Data:
    """Change a file while it is a draft, or while changes are asked.

    :param id: the file; then any field of ``dinamis_application_create``
    :raises toolkit.ValidationError: the file is in a state in which nothing may change
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_application_update", context, data_dict)
    data = validated({k: v for k, v in data_dict.items() if k in FIELDS}, fields_schema(), context)
    actor = actor_of(context)
    checked_at, entity = _check_entity(data.get("siren"))
    row = locked(id_)
    if row.state not in EDITABLE_STATES:
        session().rollback()
        raise tk.ValidationError(
            {
                "state": [
                    tk._("A file that is '{state}' cannot be changed. Ask for changes first.").format(state=row.state)
                ]
            }
        )
    before = {name: getattr(row, name) for name in FIELDS}
    if data.get("siren"):
        row.entity_checked_at = checked_at
    _fill(row, data, entity)
    changed = sorted(name for name in FIELDS if getattr(row, name) != before[name])
    if changed:
        record(Event.APPLICATION_UPDATED, actor, "application", row.id, row.organization_id, fields=changed)
    session().commit()
    return dictize.application(row, user_of(context))


@tk.side_effect_free
def dinamis_application_show(context: Context, data_dict: Data) -> Data:
    """One file, with what may be done with it now (``transitions``), what is ``missing``, and its ``steps``."""
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_application_show", context, data_dict)
    user = user_of(context)
    return dictize.application(readable(id_, user), user)


#: What the executive board sees: files that PIGMA has submitted, never a draft.
BOARD_STATES = ("submitted", "deferred", "accepted", "refused")


def readable(application_id: str, user: model.User | None) -> Application:
    """A file that this user may see: the board sees those that were submitted, never a draft.

    :raises toolkit.ObjectNotFound: there is none, or it is not for this user
    """
    row = session().get(Application, application_id)
    if row is not None:
        submitted = row.state in BOARD_STATES or row.submitted_at is not None
        if submitted or can(user, "application.prepare", row.organization_id):
            return row
    raise tk.ObjectNotFound(tk._("This file does not exist."))


@tk.side_effect_free
def dinamis_application_list(context: Context, data_dict: Data) -> Data:
    """Files that the caller may see, the oldest in its state first.

    :param state: one state, or several separated by commas
    :param organization_id: only this organisation's (needed for a referent)
    :param q: part of the organisation's name, a SIREN or a convention's number
    :returns: ``{"count", "results", "states"}``; ``states`` counts the same selection by state
    """
    tk.check_access("dinamis_application_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    user = user_of(context)
    query = sa.select(Application).join(model.Group, model.Group.id == Application.organization_id)
    if not can(user, "application.review"):
        own = organizations_of(user, Role.REFERENT)
        visible = Application.organization_id.in_(own)
        if can(user, "application.decide"):
            visible = sa.or_(visible, Application.submitted_at.is_not(None))
        query = query.where(visible)
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(Application.organization_id == (group.id if group else ""))
    if params.get("q"):
        like = f"%{params['q'].strip()}%"
        query = query.where(
            sa.or_(
                model.Group.title.ilike(like), Application.siren.like(like), Application.agreement_number.ilike(like)
            )
        )
    by_state = query.with_only_columns(Application.state, sa.func.count()).group_by(Application.state)
    states = dict(session().execute(by_state).all())
    if params.get("state"):
        query = query.where(Application.state.in_(params["state"].split(",")))
    found = listed(query, params, [Application.state_since, Application.id], lambda r: dictize.application(r, user))
    return {**found, "states": states}


def entity_checked(application_id: str) -> Application:
    """Ask Recherche d'entreprises again about a file's entity, with no transaction open, and keep what it says.

    :returns: the file, held anew
    """
    row = session().get(Application, application_id)
    checked_at, entity = _check_entity(row.siren)
    row = locked(application_id)
    row.entity_checked_at = checked_at
    _fill(row, {}, entity)
    if checked_at:
        record(Event.APPLICATION_UPDATED, "system", "application", row.id, row.organization_id,
               fields=["entity_checked_at"])  # fmt: skip
    # Kept whatever becomes of what waits for it, which may have to let go of the file once more.
    session().commit()
    return locked(application_id)


def dinamis_application_transition(context: Context, data_dict: Data) -> Data:
    """Take a file one step further.

    :param id: the file
    :param transition: a name that ``dinamis_application_show`` lists under ``transitions``
    :param reason: needed wherever someone is told no or asked for more
    :param note: PIGMA's check of eligibility (``confirm_eligibility``)
    :param reference: DINAMIS's reference of its decision
    :raises toolkit.ValidationError: names the present state and what is allowed, or the field that lacks
    :raises toolkit.NotAuthorized: the role does not hold the transition's verb
    """
    id_, name = tk.get_or_bust(data_dict, ["id", "transition"])
    tk.check_access("dinamis_application_transition", context, data_dict)
    row, user = locked(id_), user_of(context)
    with one_commit():
        step = APPLICATION.row(row.state, name)
        if not context.get("ignore_auth") and not can(user, step.verb, row.organization_id):
            raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=step.verb))
        if step.guard == "entity_checked" and row.entity_checked_at is None:
            row = entity_checked(id_)
        data = deeds.beforehand(row, name, actor_of(context), data_dict)
        row = locked(id_)
        effects.apply(row, name, actor_of(context), data)
    return dictize.application(row, user)


@tk.side_effect_free
def dinamis_application_history(context: Context, data_dict: Data) -> Data:
    """What happened to a file, the oldest first: its journal lines.

    :returns: ``{"count", "results"}``, each ``{at, event, actor_name, state_from, state_to, reason}``; a
        reminder's line says in ``kind`` and ``days`` which it was, that of a written answer in ``given_on`` the day
        on which the board gave it
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_application_history", context, data_dict)
    results = history_of(readable(id_, user_of(context)).id)
    return {"count": len(results), "results": results}


def history_of(application_id: str) -> list[Data]:
    """The journal's lines of a file, the oldest first."""
    query = (
        lines()
        .where(JournalLine.object_id == application_id, JournalLine.object_type == "application")
        .order_by(JournalLine.id)
    )
    results = []
    for line in session().execute(query).scalars():
        user = model.User.get(line.actor)
        results.append(
            {
                "at": line.at.isoformat(),
                "event": line.event,
                "actor": line.actor,
                "actor_name": (user.fullname or user.name) if user else line.actor,
                **{key: line.data.get(key) for key in ("state_from", "state_to", "reason", "kind", "days", "given_on")},
            }
        )
    return results
