"""Reading the journal and walking its chain."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.journal import as_mapping
from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate
from ckanext.dinamis_relais.journal.rules import private_digest_of, verify
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator

__all__ = ["dinamis_journal_list", "dinamis_journal_verify"]

_CHUNK = 5000


def _dictize(row: JournalLine) -> dict[str, Any]:
    keys = ("id", "actor", "event", "object_type", "object_id", "organization_id", "data", "hash")
    return {key: getattr(row, key) for key in keys} | {"at": isoformat(row.at)}


def _add_private(lines: list[dict[str, Any]]) -> None:
    # A text is looked for only where the line vouches for it: one slipped in beside another line is not shown.
    expected = {line["id"] for line in lines if private_digest_of(line["data"])}
    query = sa.select(JournalPrivate.line_id, JournalPrivate.data).where(JournalPrivate.line_id.in_(sorted(expected)))
    found = dict(session().execute(query).all()) if expected else {}
    for line in lines:
        line["private"] = found.get(line["id"])
        line["erased"] = line["id"] in expected and line["id"] not in found


@tk.side_effect_free
def dinamis_journal_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Lines of the journal, the newest first.

    :param q: event, or its beginning (``application.``)
    :param object_id: only lines about this thing
    :param organization_id: only lines about this organisation's things
    :param actor: only what this user id did
    :returns: ``{"count", "results"}``; times in UTC. Of each line, ``private`` holds the texts that somebody typed, or
        None; ``erased`` tells that there were some and that they were erased
    """
    text = [validator("ignore_missing"), validator("unicode_safe")]
    params = validated(data_dict, list_schema() | {"object_id": text, "actor": text}, context)
    tk.check_access("dinamis_journal_list", context, params)
    query = sa.select(JournalLine)
    for name in ("object_id", "organization_id", "actor"):
        if params.get(name):
            query = query.where(getattr(JournalLine, name) == params[name])
    if params.get("q"):
        query = query.where(JournalLine.event.startswith(params["q"], autoescape=True))
    page = listed(query, params, JournalLine.id.desc(), _dictize)
    _add_private(page["results"])
    return page


@tk.side_effect_free
def dinamis_journal_verify(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Walk the whole chain; private texts that still exist must fit their line, erased ones are fine.

    :returns: ``{"valid", "lines", "head", "first_broken"}``; ``head`` is the last hash that fits
    """
    tk.check_access("dinamis_journal_verify", context, data_dict)

    table, private = JournalLine.__table__, JournalPrivate.__table__
    columns = (table, private.c.salt.label("private_salt"), private.c.data.label("private_data"))
    both = sa.select(*columns).select_from(table.outerjoin(private, private.c.line_id == table.c.id))

    def lines() -> Any:
        after = -1
        while True:
            query = both.where(table.c.id > after).order_by(table.c.id).limit(_CHUNK)
            page = list(session().execute(query))
            if not page:
                return
            yield from map(as_mapping, page)
            after = page[-1].id

    found = verify(lines())
    return {
        "valid": found.valid,
        "lines": found.lines,
        "head": found.head,
        "first_broken": found.first_broken,
    }
