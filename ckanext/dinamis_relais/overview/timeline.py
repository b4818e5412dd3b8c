"""One partner's life in time order: its file, its accounts, its questions, its requests, its downloads.

Persons have their names here, for PIGMA and for the organisation's own referent. Who at PIGMA did what is PIGMA's
affair: to a referent it is PIGMA. What a person asked in a question stays between them and PIGMA.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.authority import can, names_of, user_of
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.journal import lines as journal_lines
from ckanext.dinamis_relais.journal import reading
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.portal import labels
from ckanext.dinamis_relais.portal.words import words
from ckanext.dinamis_relais.schema import listed, validated

#: Kinds of thing that a partner's page tells of; the others are the relay's own affairs.
KINDS = ("application", "membership", "convention", "document", "account", "role", "question", "request", "images")


def _names(ids: Iterable[str], organization_id: str, everybody: bool) -> dict[str, str]:
    """Users' names by id: all of them for PIGMA; for a referent the organisation's own people, the others are PIGMA."""
    found = names_of(ids)
    if everybody:
        return found
    account, place = Account.__table__, model.Member.__table__  # type: ignore[attr-defined]
    people = account.c.organization_id == organization_id, account.c.user_id.in_(list(found))
    places = place.c.group_id == organization_id, place.c.table_id.in_(list(found)), place.c.state == "active"
    own = set(session().execute(sa.select(account.c.user_id).where(*people)).scalars())
    own |= set(session().execute(sa.select(place.c.table_id).where(*places)).scalars())
    return {id_: name if id_ in own else "PIGMA" for id_, name in found.items()}


def _things(lines: list[JournalLine]) -> dict[str, str]:
    """What accounts and requests are called, by their ids; a person who was erased has no name any more."""

    def ids(kind: str) -> list[str]:
        return [line.object_id for line in lines if line.object_type == kind]

    people = sa.select(Account.id, Account.given_name, Account.family_name).where(Account.id.in_(ids("account")))
    found = {id_: f"{given} {family}".strip() for id_, given, family in session().execute(people)}
    asked = sa.select(ImageryRequest.id, ImageryRequest.title).where(ImageryRequest.id.in_(ids("request")))
    return found | dict(tuple(row) for row in session().execute(asked))


def _shown(line: JournalLine, names: dict[str, str], things: dict[str, str]) -> dict[str, Any]:
    data = line.data if isinstance(line.data, dict) else {}
    images = line.object_type == "images"
    return {
        "id": line.id, "at": isoformat(line.at), "event": line.event, "object_type": line.object_type,
        "object_id": line.object_id, "actor": line.actor if line.actor in words(labels.actors) else None,
        "who": names.get(line.actor), "what": things.get(line.object_id),
        "files": data.get("files") if images else None, "scenes": len(data.get("scenes") or ()) if images else None,
    }  # fmt: skip


@tk.side_effect_free
def dinamis_timeline_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """All that happened with one partner, the newest first; for PIGMA, and for the partner's own referent.

    :param organization_id: name or id
    :param object_type: only this kind of thing (``account``, ``images``, ``request`` …)
    :param since: first day (``2026-03-01``), in the site's time zone
    :param until: last day
    :returns: ``{"count", "results"}``, each ``{"id", "at", "event", "object_type", "object_id", "who", "actor", "what",
        "files", "scenes"}``; ``who`` is a person's name (to a referent ``PIGMA`` for PIGMA's people, None for who is
        gone), ``actor`` one of the journal's words where no user acted
    """
    organization_id = tk.get_or_bust(data_dict, "organization_id")
    tk.check_access("dinamis_timeline_show", context, data_dict)
    group = model.Group.get(organization_id)
    if group is None:
        raise tk.ObjectNotFound(tk._("This organisation does not exist."))
    params = validated(dict(data_dict), reading.filters(), context)
    named = {name: params.get(name) for name in ("object_type", "since", "until")}
    query = journal_lines().where(JournalLine.object_type.in_(KINDS))
    query = reading.narrowed(query, {**named, "organization_id": group.id})
    found = listed(query, params, JournalLine.id.desc(), lambda line: line)
    lines = found["results"]
    names = _names({line.actor for line in lines}, group.id, can(user_of(context), "journal.read"))
    things = _things(lines)
    return {"count": found["count"], "results": [_shown(line, names, things) for line in lines]}
