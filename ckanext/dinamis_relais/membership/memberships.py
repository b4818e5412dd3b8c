"""The actions on memberships: who is a member, and its suspension, resumption and end."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import membership
from ckanext.dinamis_relais.authority import actor_of, can, user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.membership import dictize, letters, terms
from ckanext.dinamis_relais.membership.applications import Data
from ckanext.dinamis_relais.membership.machines import MEMBERSHIP
from ckanext.dinamis_relais.membership.model import Application, Membership
from ckanext.dinamis_relais.schema import list_schema, listed, validated
from ckanext.dinamis_relais.transaction import one_commit


@tk.side_effect_free
def dinamis_membership_show(context: Context, data_dict: Data) -> Data:
    """The membership of an organisation, as anyone may know it.

    :param id: id of the membership; or ``organization_id``, name or id
    """
    tk.check_access("dinamis_membership_show", context, data_dict)
    if data_dict.get("organization_id"):
        group = model.Group.get(data_dict["organization_id"])
        row = terms.of(group.id) if group else None
    else:
        row = session().get(Membership, tk.get_or_bust(data_dict, "id"))
    user = user_of(context)
    if row is None or (row.state != "active" and not can(user, "application.read", row.organization_id)):
        raise tk.ObjectNotFound(tk._("This organisation is not a member."))
    return dictize.membership(row, user)


@tk.side_effect_free
def dinamis_membership_list(context: Context, data_dict: Data) -> Data:
    """Members by name. Visitors see those that are active; PIGMA sees all.

    :param q: part of the organisation's name, or its SIREN
    :param state: one state
    :returns: ``{"count", "results"}``
    """
    tk.check_access("dinamis_membership_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    user = user_of(context)
    query = sa.select(Membership).join(model.Group, model.Group.id == Membership.organization_id)
    if not can(user, "membership.manage"):
        query = query.where(Membership.state == "active")
    elif params.get("state"):
        query = query.where(Membership.state == params["state"])
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(Membership.organization_id == (group.id if group else ""))
    if params.get("q"):
        query = query.where(_named(params["q"].strip()))
    order = [model.Group.title, Membership.id]
    return listed(query, params, order, lambda row: dictize.membership(row, user))


@tk.side_effect_free
def dinamis_membership_autocomplete(context: Context, data_dict: Data) -> Data:
    """Names of the active members, for a field in which one is typed.

    :param q: part of the organisation's title
    :param limit: at most so many, 1,000 if not given
    :returns: ``{"results": [{"id", "name", "title", "siren"}]}``, by title
    """
    tk.check_access("dinamis_membership_autocomplete", context, data_dict)
    params = validated({"limit": 1000, **data_dict}, list_schema(), context)
    return {"results": membership.active_members(params.get("q", "").strip(), params["limit"])}


def _named(text: str) -> Any:
    # The SIREN is the file's: on CKAN 2.11 and 2.12 extras are stored differently, and this is neither.
    numbered = sa.select(Application.id).where(
        Application.id == Membership.application_id, Application.siren == text.replace(" ", "")
    )
    return sa.or_(model.Group.title.ilike(f"%{text}%"), numbered.exists())


def dinamis_membership_transition(context: Context, data_dict: Data) -> Data:
    """Suspend, resume or end a membership; its accounts follow.

    :param id: the membership
    :param transition: ``suspend``, ``resume`` or ``end``
    :param reason: needed to suspend and to end
    """
    id_, name = tk.get_or_bust(data_dict, ["id", "transition"])
    tk.check_access("dinamis_membership_transition", context, data_dict)
    query = sa.select(Membership).where(Membership.id == id_)
    row = session().execute(query.with_for_update()).scalar_one_or_none()
    if row is None:
        raise tk.ObjectNotFound(tk._("This membership does not exist."))
    reason = (data_dict.get("reason") or "").strip()
    with one_commit():
        step = MEMBERSHIP.row(row.state, name)
        if not context.get("ignore_auth") and not can(user_of(context), step.verb, row.organization_id):
            raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=step.verb))
        if step.reason and not reason:
            raise GuardError("reason", tk._("Say why: the reason is part of the message that will leave."))
        before = row.state
        terms.follow(row, step.target, actor_of(context), reason, "left" if step.target == "ended" else None)
        application = session().get(Application, row.application_id)
        letters.send(step.mail or "", application, reason=reason)
        record(Event(step.event), actor_of(context), "membership", row.id, row.organization_id,
               state_from=before, state_to=row.state, reason=reason or None)  # fmt: skip
    return dictize.membership(row, user_of(context))
