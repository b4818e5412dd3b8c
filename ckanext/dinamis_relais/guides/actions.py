"""The room's part of the action API on guides and answers: read, write, publish, restore."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import actor_of, can, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.guides import schema, store
from ckanext.dinamis_relais.guides.model import Guide
from ckanext.dinamis_relais.guides.rules import MACHINE, RESERVED, name_of, plain
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import list_schema, validated, validator
from ckanext.dinamis_relais.transaction import one_commit

__all__ = [
    "dinamis_guide_create",
    "dinamis_guide_list",
    "dinamis_guide_restore",
    "dinamis_guide_show",
    "dinamis_guide_transition",
    "dinamis_guide_update",
    "dinamis_guide_versions",
]


def _writes(context: Context) -> bool:
    return bool(context.get("ignore_auth")) or can(user_of(context), "guide.write")


def _dict(one: store.Entry, *, body: bool, writes: bool) -> dict[str, Any]:
    found = {
        "id": one.name, "name": one.name, "kind": one.kind, "theme": one.theme, "state": one.state,
        "version": one.number, "shipped": one.shipped, "updated_at": one.updated_at,
        "url": f"{config.site_url()}/dinamis/guides/{one.name}",
        "transitions": [row.name for row in MACHINE.allowed(one.state)] if writes else [],
        **one.texts,
    }  # fmt: skip
    if not body:
        del found["body"]
    return found


def _whole(name: str, context: Context) -> dict[str, Any]:
    writes = _writes(context)
    one = store.entry(name)
    if one is None or (one.state != "published" and not writes):
        raise tk.ObjectNotFound(tk._("This guide does not exist."))
    return _dict(one, body=True, writes=writes)


@tk.side_effect_free
def dinamis_guide_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A guide or an answer with its text (Markdown); a draft only for who may write them.

    :param id: its name, the last part of its address
    :returns: also ``version``, the number of the text in force (0: as shipped)
    """
    tk.check_access("dinamis_guide_show", context, data_dict)
    return _whole(str(tk.get_or_bust(data_dict, "id")), context)


@tk.side_effect_free
def dinamis_guide_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Guides and answers without their texts, in reading order.

    :param kind: ``guide`` or ``faq``
    :param theme: one of ``rules.THEMES``
    :param state: ``draft`` or ``published``; drafts only for who may write them
    :param q: words, each of which is in the title, the summary or the text, whatever its accents
    :param body: True to have the texts too
    :returns: ``{"count", "results"}``
    """
    tk.check_access("dinamis_guide_list", context, data_dict)
    word = [validator("ignore_empty"), validator("unicode_safe")]
    boolean = [validator("ignore_missing"), validator("boolean_validator")]
    params = validated(data_dict, {**list_schema(), "kind": word, "theme": word, "body": boolean}, context)
    writes = _writes(context)
    found = [one for one in store.entries() if one.state == "published" or writes]
    for key in ("kind", "theme", "state"):
        if params.get(key):
            found = [one for one in found if getattr(one, key) == params[key]]
    for sought in plain(params.get("q") or "").split():
        found = [one for one in found if sought in plain(" ".join(one.texts.values()))]
    shown = found[params["offset"] : params["offset"] + params["limit"]]
    body = bool(params.get("body"))
    return {"count": len(found), "results": [_dict(one, body=body, writes=writes) for one in shown]}


def dinamis_guide_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Write a new guide or an answer to a frequent question.

    :param title: what it is called, in French as all that follows
    :param body: Markdown; HTML is shown as it is typed
    :param theme: one of ``rules.THEMES``
    :param kind: ``guide`` (by default) or ``faq``
    :param state: ``draft`` (by default) or ``published``
    :param summary: a sentence for lists, optional
    :param title_en: its title in English, optional; likewise ``summary_en``
    :raises toolkit.ValidationError: by field, each problem with its remedy
    """
    tk.check_access("dinamis_guide_create", context, data_dict)
    data = validated(data_dict, schema.guide(), context)
    actor = actor_of(context)
    with one_commit():
        taken = {one.name for one in store.entries()} | RESERVED
        row = Guide(name=name_of(data["title"], taken), kind=data["kind"], theme=data["theme"], state=data["state"])
        session().add(row)
        session().flush()
        store.add_version(row, data, actor)
        record(Event.GUIDE_CREATED, actor, "guide", row.id, None, name=row.name, kind=row.kind, state_to=row.state)
    return _whole(row.name, context)


def dinamis_guide_update(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Change a guide: its texts become a new version, the former ones are kept.

    :param id: its name
    :param seen: ``version`` as it was read, optional: when somebody changed it since, nothing is done
    :param title: and the other texts, as in ``dinamis_guide_create``
    :raises toolkit.ValidationError: by field
    """
    tk.check_access("dinamis_guide_update", context, data_dict)
    data = validated(data_dict, schema.changed(), context)
    actor = actor_of(context)
    with one_commit():
        row = store.locked_row(data["id"])
        if data.get("seen") is not None and data["seen"] != row.number:
            text = tk._("Somebody has changed this text meanwhile. Copy yours, read theirs, then write again.")
            raise GuardError("seen", text)
        row.theme = data["theme"]
        version = store.add_version(row, data, actor)
        record(Event.GUIDE_CHANGED, actor, "guide", row.id, None, name=row.name, number=version.number)
    return _whole(row.name, context)


def dinamis_guide_transition(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """``publish`` a draft, or ``unpublish`` what is published.

    :param id: its name
    :raises toolkit.ValidationError: names the present state and what is allowed
    """
    tk.check_access("dinamis_guide_transition", context, data_dict)
    data = validated(data_dict, schema.step(), context)
    with one_commit():
        row = store.locked_row(data["id"])
        step = MACHINE.row(row.state, data["transition"])
        row.state, row.updated_at = step.target, utcnow()
        session().flush()
        record(Event(step.event), actor_of(context), "guide", row.id, None, name=row.name,
               state_from=step.source, state_to=step.target)  # fmt: skip
    return _whole(row.name, context)


@tk.side_effect_free
def dinamis_guide_versions(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """All texts that a guide has had, the newest first; the shipped one is the number 0.

    :param id: its name
    :returns: ``{"count", "results"}``, each with ``number``, its texts, ``author``, ``created_at``, ``in_force``
    """
    tk.check_access("dinamis_guide_versions", context, data_dict)
    one = store.entry(str(tk.get_or_bust(data_dict, "id")))
    if one is None:
        raise tk.ObjectNotFound(tk._("This guide does not exist."))
    found = [
        {
            "number": version.number,
            "author": _author(version.author_id),
            "created_at": isoformat(version.created_at),
            **{key: getattr(version, key) for key in store.TEXTS},
        }
        for version in store.versions_of(one.row)
    ]
    shipped = store.shipped_texts(one.name)
    if shipped:
        found.append({"number": 0, "author": None, "created_at": None, **shipped})
    for version in found:
        version["in_force"] = version["number"] == one.number
    return {"count": len(found), "results": found}


def _author(user_id: str | None) -> str | None:
    user = model.User.get(user_id) if user_id else None
    return (user.fullname or user.name) if user is not None else None


def dinamis_guide_restore(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Put an older version back in force; no version is lost.

    :param id: the guide's name
    :param number: of ``dinamis_guide_versions``; 0 is the shipped text, which then follows new releases
    :raises toolkit.ValidationError: there is no such version
    """
    tk.check_access("dinamis_guide_restore", context, data_dict)
    data = validated(data_dict, schema.restore(), context)
    with one_commit():
        row = store.locked_row(data["id"])
        numbers = {version.number for version in store.versions_of(row)}
        if store.shipped_texts(row.name):
            numbers.add(0)
        if data["number"] not in numbers:
            known = ", ".join(str(number) for number in sorted(numbers))
            raise GuardError(
                "number", tk._("There is no such version. Choose one of: {numbers}.").format(numbers=known)
            )
        row.number, row.updated_at = data["number"], utcnow()
        session().flush()
        record(Event.GUIDE_RESTORED, actor_of(context), "guide", row.id, None, name=row.name, number=row.number)
    return _whole(row.name, context)
