"""The room's part of the action API: look at an area, ask for an image, decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config, db, throttle
from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, utcnow
from ckanext.dinamis_relais.imagery_requests import archive, given, messages, quotas, rules, schema, steps
from ckanext.dinamis_relais.imagery_requests.listing import dinamis_request_list, dinamis_request_show, may, whole
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.machine import GuardError, Transition
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit

__all__ = [
    "dinamis_area_import",
    "dinamis_area_read",
    "dinamis_request_create",
    "dinamis_request_list",
    "dinamis_request_preview",
    "dinamis_request_show",
    "dinamis_request_transition",
]

_DAY = 24 * 3600


def _person(context: Context) -> model.User:
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to ask for an image."))
    return user


def _organization(user: model.User, wanted: str | None, *, locked: bool = False) -> model.Group:
    """The organisation for which a person asks: one where their account is active.

    :raises GuardError: there is none; says what to do
    """
    ids = active_organizations(user.id, locked=locked)
    if wanted:
        group = model.Group.get(wanted)
        ids = [id_ for id_ in ids if group is not None and id_ == group.id]
    group = model.Group.get(ids[0]) if ids else None
    if group is None:
        text = tk._("Only people with an active account of a member organisation ask for images. Ask for your account, "
                    "or accept the charter of use, on the page of your account.")  # fmt: skip
        raise GuardError("organization_id", text)
    return group


def _checked_period(data: dict[str, Any]) -> None:
    asked = rules.Period(config.request_window_days(), config.request_lead_days())
    found = rules.period_problem(data["starts_on"], data["ends_on"], utcnow().date(), asked)
    if found:
        raise tk.ValidationError({found[0]: [messages.period(found[1], asked)]})


def _both(*checks: Any) -> list[Any]:
    """The answers of several checks; what is wrong is said together, so that a form shows all of it at once.

    :raises toolkit.ValidationError: the errors of all of them
    """
    answers, errors = [], {}
    for check in checks:
        try:
            answers.append(check())
        except tk.ValidationError as error:
            errors.update(error.error_dict)
    if errors:
        raise tk.ValidationError(errors)
    return answers


def _wish(data_dict: DataDict, parts: dict[str, Any], context: Context) -> dict[str, Any]:
    data = validated({key: value for key, value in data_dict.items() if key in parts}, parts, context)
    _checked_period(data)
    return data


def dinamis_area_import(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """An area as polygons in longitude and latitude, with its surface; nothing is kept.

    :param area: GeoJSON (a geometry, a feature or a collection), as an object or as text
    :param file_name: a file's name in place of it; GeoJSON, zipped Shapefile, KML or KMZ
    :param file_content: that file in base64
    :param place: name or code of a territory in place of both
    :param place_kind: ``commune``, ``epci`` or ``departement``
    :returns: ``{"area", "area_km2", "source", "title", "notes", "others"}``: GeoJSON, square kilometres, and what was
        changed of it
    :raises toolkit.ValidationError: by field, what is wrong and what to do
    """
    tk.check_access("dinamis_area_import", context, data_dict)
    _person(context)
    return given.as_dict(given.read(data_dict))


@tk.side_effect_free
def dinamis_area_read(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """The area of a file, of any size, to search within; nothing is kept.

    :param file_name: its end tells the format: GeoJSON, zipped Shapefile, KML, KMZ
    :param file_content: bytes, or base64
    :returns: as ``dinamis_area_import``
    :raises toolkit.ValidationError: what is wrong with the file, and what to do
    """
    tk.check_access("dinamis_area_read", context, data_dict)
    file = {name: data_dict.get(name) for name in ("file_name", "file_content")}
    return given.as_dict(given.read(file, replace(given.limits(), km2=0)))


def dinamis_request_preview(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What a request would be, before it is sent: its area, what the archive holds already, what the quotas leave.

    :param area: as in ``dinamis_area_import``, as are ``file_name``, ``file_content``, ``place``, ``place_kind``
    :param starts_on: first day of the period, ``YYYY-MM-DD``
    :param ends_on: last day of the period
    :param cloud: most clouds, in percent of the image; none for any
    :param product: name of one of the configured resolutions; the first by default
    :param organization_id: for whom, where the person has several accounts
    :returns: the answer of ``dinamis_area_import`` with ``archive`` (shares of the area from 0 to 1, scenes that fit
        first), ``quotas`` (km² left) and ``organization_title``
    :raises toolkit.ValidationError: by field, what is wrong and what to do
    """
    tk.check_access("dinamis_request_preview", context, data_dict)
    user = _person(context)
    try:
        organization = _organization(user, data_dict.get("organization_id"))
    except GuardError as error:
        raise tk.ValidationError({error.field: [str(error)]}) from error
    wish, area = _both(lambda: _wish(data_dict, schema.wish(), context), lambda: given.read(data_dict))
    found = archive.look(context, area.area.geometry, wish["starts_on"], wish["ends_on"], wish.get("cloud"),
                         wish["product"].metres)  # fmt: skip
    return {
        **given.as_dict(area), "archive": found, "quotas": quotas.left(organization, wish["product"].name),
        "organization_title": organization.title, "product": wish["product"].name,
        "resolution": wish["product"].metres,
    }  # fmt: skip


def _named(context: Context, scenes: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Scenes of an answer, each with its title.

    :raises toolkit.ValidationError: one of them is none of the catalogue's
    """
    from ckanext.dinamis_relais.imagery import describe

    found = []
    for collection, id_ in scenes:
        try:
            item = tk.get_action("dinamis_scene_show")(
                {"user": context.get("user", "")}, {"collection": collection, "id": id_}
            )
        except tk.ObjectNotFound as error:
            text = tk._("“{scene}” is no scene of the catalogue. Take its name from the scene's page.")
            raise tk.ValidationError({"scenes": [text.format(scene=f"{collection}/{id_}")]}) from error
        row = describe.row(item)
        found.append({"collection": collection, "id": id_, "title": f"{row['sensor']}, {row['date']}"})
    return found


def dinamis_request_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Ask for a new image; PIGMA is told by mail. What the archive holds at that moment is kept beside the request.

    :param area: as in ``dinamis_request_preview``, as are the period, ``cloud``, ``product`` and ``organization_id``
    :param title: what the area is called; the territory's or the file's name by default
    :param purpose: what the image is for
    :param by_archive: True when the archive's images are enough: the request is completed at once, nothing is counted
    :param scenes: the archive's scenes that answer it, as ``collection/identifier``; with ``by_archive``
    :raises toolkit.ValidationError: by field, each problem with its remedy
    """
    tk.check_access("dinamis_request_create", context, data_dict)
    user = _person(context)
    wish, area = _both(lambda: _wish(data_dict, schema.request(), context), lambda: given.read(data_dict))
    scenes = _named(context, schema.scenes_of(data_dict.get("scenes"))) if wish["by_archive"] else []
    product = wish["product"]
    found = archive.look(context, area.area.geometry, wish["starts_on"], wish["ends_on"], wish.get("cloud"),
                         product.metres)  # fmt: skip
    if not throttle.allowed("imagery_request", user.id, config.requests_per_person(), _DAY):
        text = tk._("You have sent {number} requests within a day. Send this one tomorrow, or write to PIGMA.")
        raise tk.ValidationError({"title": [text.format(number=config.requests_per_person())]})
    with one_commit():
        organization = _organization(user, wish.get("organization_id"), locked=True)
        if not wish["by_archive"]:
            quotas.check(organization, product.name, area.area.km2)
        request = ImageryRequest(
            user_id=user.id, organization_id=organization.id,
            title=wish.get("title") or area.title or tk._("Drawn area"), purpose=wish["purpose"],
            area=area.area.geometry, area_km2=area.area.km2, area_source=area.source,
            area_notes=list(area.area.notes), starts_on=wish["starts_on"], ends_on=wish["ends_on"],
            cloud=wish.get("cloud"), product=product.name, resolution=product.metres, archive=archive.kept(found),
            answer_scenes=scenes,
        )  # fmt: skip
        steps.begin(request, told=not wish["by_archive"])
        if wish["by_archive"]:
            steps.apply(request, "take", user.id, "person")
    return whole(request, user)


def _hold(request: ImageryRequest, row: Transition, user: model.User, data: dict[str, Any]) -> None:
    """Refuse a step that its maker may not take, that lacks its reason, or that rests on what is past.

    :raises toolkit.NotAuthorized: not theirs to take
    :raises GuardError: what to put right
    """
    if not may(request, row, user):
        raise tk.NotAuthorized(tk._("Your role does not allow this ({verb}).").format(verb=row.verb))
    if data.get("seen") and data["seen"] != isoformat(request.state_since):
        raise GuardError("seen", tk._("The request has moved meanwhile. Read where it stands now, then decide."))
    if row.reason and not data.get("reason"):
        raise GuardError("reason", tk._("Give the reason: the person reads it."))


def dinamis_request_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Take a request further: PIGMA decides and records what DINAMIS says; who asked takes the archive's, or withdraws.

    :param id: the request
    :param transition: a name of ``transitions`` (``hold``, ``accept``, ``reject``, ``answer``, ``take``, ``withdraw``,
        and for what DINAMIS says ``schedule``, ``process``, ``complete``, ``fail``, ``expire``, ``cancel``)
    :param reason: why, in the mail; needed where someone is told no
    :param reason_code: one of ``archive``, ``window``, ``purpose``, ``quota``, ``area``, ``weather``, ``technical``,
        ``other``
    :param answer: what the person is told with ``answer`` or ``complete``
    :param scenes: the scenes that answer it, as ``collection/identifier``; with ``answer``, ``take`` or ``complete``
    :param seen: ``state_since`` as it was read, optional: when the request has moved since, nothing is done
    :raises toolkit.ValidationError: names the present state and what is allowed
    """
    tk.check_access("dinamis_request_transition", context, data_dict)
    parts = schema.step()
    data = validated({key: value for key, value in data_dict.items() if key in parts}, parts, context)
    user, name = _person(context), data["transition"]
    answers = name in (*rules.BY_ARCHIVE, "complete")
    scenes = _named(context, schema.scenes_of(data_dict.get("scenes"))) if answers else []
    request = db.locked(ImageryRequest, data["id"], tk._("This request does not exist."))
    with one_commit():
        row = rules.MACHINE.row(request.state, name)
        _hold(request, row, user, data)
        if name == "answer" and not (scenes or data.get("answer")):
            raise GuardError("answer", tk._("Say which images of the archive answer the request, or name the scenes."))
        if answers:
            request.answer_scenes, request.answer = scenes, data.get("answer") or request.answer
        side = "person" if row.verb == "request.create" else "pigma"
        steps.apply(request, name, user.id, side, reason=data.get("reason"), reason_code=data.get("reason_code"))
    return whole(request, user)
