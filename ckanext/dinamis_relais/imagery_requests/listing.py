"""Requests as they are shown: with their line of time, and what their reader may do now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Rights, Role, names_of, organizations_of, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.imagery_requests import quotas
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.imagery_requests.rules import AT_PIGMA, MACHINE, line_of_time, waiting_side
from ckanext.dinamis_relais.imagery_requests.steps import steps_of
from ckanext.dinamis_relais.machine import Transition
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

_PLAIN = (
    "id", "state", "organization_id", "title", "purpose", "area", "area_km2", "area_source", "cloud", "product",
    "resolution", "archive", "by_archive", "answer", "answer_scenes", "reference",
)  # fmt: skip
_MOMENTS = ("state_since", "created_at", "updated_at", "erased_at", "starts_on", "ends_on", "delivered_at")


def may(request: ImageryRequest, row: Transition, user: model.User | None, rights: Rights | None = None) -> bool:
    """Whether a person may take a request through a row of the machine: their own, or by the right to decide."""
    if row.verb == "request.create":
        return user is not None and request.user_id == user.id
    return (rights or Rights(user)).can(row.verb)


class Known:
    """What the dictionaries of some requests need besides their rows, read once for all of them.

    :param user: who looks
    """

    def __init__(self, rows: Sequence[ImageryRequest], user: model.User | None):
        self.user, self.rights = user, Rights(user)
        self.pigma = self.rights.can("request.decide")
        self.names = names_of(row.user_id for row in rows if row.user_id)
        groups = {row.organization_id for row in rows}
        titled = sa.select(model.Group.id, model.Group.title, model.Group.name).where(model.Group.id.in_(groups))
        self.groups = {id_: (title, name) for id_, title, name in session().execute(titled)} if groups else {}


def dictize(row: ImageryRequest, known: Known) -> dict[str, Any]:
    """A request, without its statuses."""
    title, name = known.groups.get(row.organization_id, (None, None))
    return {
        **{key: getattr(row, key) for key in _PLAIN},
        **{key: isoformat(getattr(row, key)) for key in _MOMENTS},
        "organization_title": title, "organization_name": name,
        "asker": known.names.get(row.user_id) if row.user_id else None,
        "mine": known.user is not None and row.user_id == known.user.id,
        "waiting_side": waiting_side(row.state),
        "waiting_days": max(0, (utcnow() - row.state_since).days) if waiting_side(row.state) else None,
        "delivered": row.version > 0 and row.version == row.delivered_version,
        "delivery_error": row.last_error if known.pigma else None,
        "transitions": [one.name for one in MACHINE.allowed(row.state) if may(row, one, known.user, known.rights)],
        "url": f"{config.site_url()}/dinamis/requests/{row.id}",
    }  # fmt: skip


def whole(row: ImageryRequest, user: model.User | None) -> dict[str, Any]:
    """A request with its statuses (``steps``), its line of time, and for PIGMA what its organisation has left."""
    known = Known([row], user)
    steps = steps_of(row.id)
    names = names_of(step.actor_id for step in steps if step.actor_id)
    shown = [
        {
            "code": step.code, "at": isoformat(step.at), "side": step.side,
            # Who at PIGMA decided is PIGMA's own affair.
            "actor": names.get(step.actor_id) if step.side == "person" or known.pigma else None,
            "reason_code": step.reason_code, "reason": step.reason,
        }
        for step in steps
    ]  # fmt: skip
    organization = model.Group.get(row.organization_id)
    left = quotas.left(organization, row.product, row.id) if organization else []
    return {
        **dictize(row, known), "steps": shown, "area_notes": row.area_notes,
        "line": [{"code": code, "when": when} for code, when in line_of_time([s["code"] for s in shown], row.state)],
        "quotas": left,
    }  # fmt: skip


def _selected(params: dict[str, Any], user: model.User | None, everybody: bool) -> Any:
    query = sa.select(ImageryRequest)
    own = ImageryRequest.user_id == (user.id if user else "")
    if params.get("mine"):
        query = query.where(own)
    elif not everybody:
        led = organizations_of(user, Role.REFERENT)
        query = query.where(sa.or_(own, ImageryRequest.organization_id.in_(led)))
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(ImageryRequest.organization_id == (group.id if group else ""))
    if params.get("q"):
        sought = "%" + re.sub(r"([\\%_])", r"\\\1", params["q"].strip()) + "%"
        people = sa.select(model.User.id).where(
            model.User.id == ImageryRequest.user_id,
            sa.or_(model.User.fullname.ilike(sought), model.User.name.ilike(sought)),
        )
        places = sa.select(model.Group.id).where(
            model.Group.id == ImageryRequest.organization_id, model.Group.title.ilike(sought)
        )
        query = query.where(
            sa.or_(ImageryRequest.title.ilike(sought), ImageryRequest.purpose.ilike(sought),
                   ImageryRequest.reference.ilike(sought), people.exists(), places.exists())
        )  # fmt: skip
    return query


@tk.side_effect_free
def dinamis_request_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One request for an image, with every status it reached (``steps``) and what may be done now (``transitions``).

    :param id: the request; read by who sent it, the referent of their organisation, and PIGMA
    """
    tk.check_access("dinamis_request_show", context, data_dict)
    row = session().get(ImageryRequest, str(tk.get_or_bust(data_dict, "id")))
    if row is None:
        raise tk.ObjectNotFound(tk._("This request does not exist."))
    return whole(row, user_of(context))


@tk.side_effect_free
def dinamis_request_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Requests for images: for PIGMA everybody's, those that wait for it first and the oldest of them first.

    Others see their own and, as a referent, those of their organisation, the last moved first.

    :param mine: True for one's own only
    :param state: one status code, or several separated by commas
    :param organization_id: of one organisation only
    :param q: part of the title, of the purpose, of the reference, of the person's or the organisation's name
    :returns: ``{"count", "results", "states"}``; ``states`` counts the same search by status
    """
    tk.check_access("dinamis_request_list", context, data_dict)
    boolean = [validator("ignore_missing"), validator("boolean_validator")]
    params = validated(data_dict, {**list_schema(), "mine": boolean}, context)
    user = user_of(context)
    everybody = Rights(user).can("request.decide") and not params.get("mine")
    query = _selected(params, user, everybody)
    by_state = query.with_only_columns(ImageryRequest.state, sa.func.count()).group_by(ImageryRequest.state)
    states = dict(tuple(one) for one in session().execute(by_state))
    if params.get("state"):
        query = query.where(ImageryRequest.state.in_(params["state"].split(",")))
    # PIGMA's own first and the oldest of them; what is over last.
    turn = sa.case((ImageryRequest.state.in_(AT_PIGMA), 0), else_=1)
    order: list[Any] = [ImageryRequest.updated_at.desc(), ImageryRequest.id]
    if everybody:
        waits = sa.case((turn == 0, ImageryRequest.created_at))
        order = [turn, waits, *order]
    found = listed(query, params, order, lambda row: row)
    known = Known(found["results"], user)
    return {
        "count": found["count"],
        "results": [dictize(row, known) for row in found["results"]],
        "states": {state: states[state] for state in MACHINE.states if state in states},
    }
