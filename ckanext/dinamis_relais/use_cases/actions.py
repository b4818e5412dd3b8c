"""The room's part of the action API: write a use case, propose it, publish it or send it back."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import db
from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.authority import Rights, actor_of, user_of
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError, Transition
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit
from ckanext.dinamis_relais.use_cases import datasets, letters, pictures, schema, territory
from ckanext.dinamis_relais.use_cases.listing import (
    dinamis_use_case_list,
    dinamis_use_case_show,
    for_organization,
    found,
    may,
    whole,
)
from ckanext.dinamis_relais.use_cases.model import UseCase
from ckanext.dinamis_relais.use_cases.rules import CHANGED_BY, MACHINE, missing

__all__ = [
    "dinamis_use_case_create",
    "dinamis_use_case_list",
    "dinamis_use_case_show",
    "dinamis_use_case_transition",
    "dinamis_use_case_update",
]


def _person(context: Context) -> model.User:
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to propose a use case."))
    return user


def _organization(user: model.User, wanted: str | None) -> str:
    """Id of the organisation that the use case is of: one where the person's account is active.

    :raises toolkit.ValidationError: there is none; says what to do
    """
    group = model.Group.get(wanted) if wanted else None
    ids = [group.id] if group is not None else active_organizations(user.id)[:1]
    rights = Rights(user)
    if not ids or not for_organization(user, rights, ids[0]):
        text = tk._("Only people with an active account of a member organisation propose use cases. Ask for your "
                    "account, or accept the charter of use, on the page of your account.")  # fmt: skip
        raise tk.ValidationError({"organization_id": [text]})
    return ids[0]


def dinamis_use_case_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Write a use case of one's organisation; a draft that its people and PIGMA read, until it is published.

    :param title: what was done and where; all the rest may follow with ``dinamis_use_case_update``
    :param summary: one or two sentences, for the cards
    :param result: what was done, how, and what came of it; Markdown
    :param themes: list of ``rules.THEMES``
    :param territory: a place, in words; likewise ``territory_kind`` (``commune``, ``epci``, ``departement``) and
        ``territory_code`` for one that API Géo knows
    :param series: ids or names of the series' datasets that were used
    :param imagery: images that were used and are in no series, in words
    :param picture: PNG or JPEG in base64; ``picture_alt`` says what it shows, ``picture_credit`` whose it is
    :param contact_office: office that answers questions; ``contact_email`` its address, shown to everybody
    :param organization_id: for whom, where the person has several accounts
    :raises toolkit.ValidationError: by field, each problem with its remedy
    """
    tk.check_access("dinamis_use_case_create", context, data_dict)
    data = validated(schema.given(data_dict), schema.case(), context)
    user = _person(context)
    organization_id = _organization(user, data.get("organization_id"))
    data |= territory.settled(data)
    with one_commit():
        id_ = datasets.create(data, organization_id, user.name)
        row = UseCase(id=id_, organization_id=organization_id, author_id=user.id, themes=data["themes"],
                      series=data["series"])  # fmt: skip
        session().add(row)
        session().flush()
        pictures.keep(id_, data.get("picture"))
        record(Event.USE_CASE_CREATED, user.id, "use_case", id_, organization_id)
    datasets.index(id_)
    return whole(row, context)


def _locked(id_: Any) -> UseCase:
    return db.locked(UseCase, found(id_).id, tk._("This use case does not exist."))


def _refused(verb: str) -> tk.NotAuthorized:
    return tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=verb))


def dinamis_use_case_update(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Change a use case: its organisation a draft or one that was sent back, PIGMA what is proposed or published.

    :param id: its id; the other parameters as in ``dinamis_use_case_create``, all of them but the picture
    :param no_picture: True to take the picture away
    :raises toolkit.ValidationError: by field
    """
    tk.check_access("dinamis_use_case_update", context, data_dict)
    data = validated(schema.given(data_dict), schema.changed(), context)
    user = _person(context)
    data |= territory.settled(data)
    with one_commit():
        row = _locked(data["id"])
        verb = CHANGED_BY.get(row.state, "use_case.publish")
        if not may(row, verb, user, Rights(user)):
            raise _refused(verb)
        datasets.update(row.id, data, user.name)
        if data.get("picture") or data.get("no_picture"):
            pictures.keep(row.id, data.get("picture"))
        row.themes, row.series, row.updated_at = data["themes"], data["series"], utcnow()
        session().flush()
        if row.state in ("proposed", "published"):
            _complete(row)
        record(Event.USE_CASE_CHANGED, user.id, "use_case", row.id, row.organization_id, state=row.state)
    datasets.index(row.id)
    return whole(row, context)


def _texts(row: UseCase) -> dict[str, Any]:
    package: Any = model.Package.get(row.id)
    return datasets.texts_of([package])[row.id]


def _complete(row: UseCase) -> None:
    """The guard of a proposal.

    :raises GuardError: names all that is missing
    """
    names = {
        "title": tk._("the title"), "summary": tk._("the summary"), "result": tk._("what was done and its result"),
        "themes": tk._("a theme"), "territory": tk._("the place"), "contact_office": tk._("the office to contact"),
        "picture_alt": tk._("what the picture shows"),
    }  # fmt: skip
    case = {**_texts(row), "themes": row.themes, "picture": bool(pictures.known([row.id]))}
    lacking = [names[name] for name in missing(case)]
    if lacking:
        raise GuardError("transition", tk._("Still missing: {fields}.").format(fields=", ".join(lacking)))


def _apply(row: UseCase, step: Transition, actor: str, reason: str) -> None:
    """All that follows from a transition, in order: state, what the public sees, mail, journal."""
    row.state, row.state_since, row.updated_at, row.reason = step.target, utcnow(), utcnow(), reason or None
    if step.target == "published":
        row.published_at = row.published_at or utcnow()
    datasets.set_public(row.id, step.target == "published")
    if step.target == "discarded":
        datasets.discard(row.id)
    session().flush()
    if step.mail:
        texts = _texts(row)
        letters.send(step.mail, row, texts["title"], texts["name"])
    record(Event(step.event), actor, "use_case", row.id, row.organization_id, {"reason": reason or None},
           state_from=step.source, state_to=step.target)  # fmt: skip


def dinamis_use_case_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """``propose``, ``withdraw`` or ``discard`` by its organisation; ``publish``, ``send_back``, ``unpublish`` by PIGMA.

    :param id: its id
    :param transition: one of its ``transitions``
    :param reason: why it is sent back or taken off the site; the author reads it by mail
    :raises toolkit.ValidationError: names the present state and what is allowed, or what is missing
    """
    tk.check_access("dinamis_use_case_transition", context, data_dict)
    data = validated(data_dict, schema.step(), context)
    user = _person(context)
    with one_commit():
        row = _locked(data["id"])
        step = MACHINE.row(row.state, data["transition"])
        if not may(row, step.verb, user, Rights(user)):
            raise _refused(step.verb)
        if step.reason and not data["reason"]:
            raise GuardError("reason", tk._("Say why: the author reads it and can put it right."))
        if step.guard == "complete":
            _complete(row)
        _apply(row, step, actor_of(context), data["reason"] if step.reason else "")
    datasets.index(row.id)
    return whole(row, context)
