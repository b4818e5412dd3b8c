"""Reading the journal and walking its chain."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.journal import lines, reading
from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate
from ckanext.dinamis_relais.journal.rules import private_digest_of, verify
from ckanext.dinamis_relais.journal.settling import waiting
from ckanext.dinamis_relais.schema import listed, validated

__all__ = ["dinamis_journal_list", "dinamis_journal_verify"]

#: A search of the journal is counted so far: a thousand pages, and a time that does not grow with the journal.
MOST = 20_000


def _dictize(row: JournalLine) -> dict[str, Any]:
    keys = ("id", "actor", "event", "object_type", "object_id", "organization_id", "data", "hash")
    return {key: getattr(row, key) for key in keys} | {"at": isoformat(row.at)}


def _add_private(found: list[dict[str, Any]]) -> None:
    # A text is looked for only where the line vouches for it: one slipped in beside another line is not shown.
    expected = {line["id"] for line in found if private_digest_of(line["data"])}
    query = sa.select(JournalPrivate.line_id, JournalPrivate.data).where(JournalPrivate.line_id.in_(sorted(expected)))
    texts = dict(session().execute(query).all()) if expected else {}
    for line in found:
        line["private"] = texts.get(line["id"])
        line["erased"] = line["id"] in expected and line["id"] not in texts


def _count(query: Any, params: dict[str, Any]) -> tuple[int, bool]:
    """Lines that match, and whether there are more: without a search they are numbered, else counted to MOST."""
    db, id_ = session(), JournalLine.id
    if not any(params.get(name) for name in reading.FILTERS):
        first, last = db.execute(sa.select(sa.func.min(id_), sa.func.max(id_))).one()
        return (last - first + 1 if last else 0), False
    few = query.with_only_columns(id_).limit(MOST + 1).subquery()
    count = db.execute(sa.select(sa.func.count()).select_from(few)).scalar()
    return min(count, MOST), count > MOST


@tk.side_effect_free
def dinamis_journal_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Lines of the journal, the newest first.

    :param q: event, or its beginning (``application.``)
    :param object_id: only lines about this thing
    :param object_type: only lines about this kind of thing
    :param organization_id: only lines about this organisation's things, id or name
    :param about: only lines about organisations with this in their name
    :param actor: only what this user id did
    :param who: only what people did with this in their name
    :param since: first day (``2026-03-01``), in the site's time zone
    :param until: last day
    :returns: ``{"count", "more", "results"}``; times in UTC; a search is counted up to 20,000, ``more`` tells that it
        has more. Of each line, ``private`` holds the texts that somebody typed, or None; ``erased`` tells that there
        were some and that they were erased
    """
    params = validated(data_dict, reading.filters(), context)
    tk.check_access("dinamis_journal_list", context, params)
    query = reading.narrowed(lines(), params)
    count, more = _count(query, params)
    page = listed(query, params, JournalLine.id.desc(), _dictize, count)
    _add_private(page["results"])
    return {**page, "more": more}


@tk.side_effect_free
def dinamis_journal_verify(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Walk the whole chain; private texts that still exist must fit their line, erased ones are fine.

    Where old lines were pruned by the rule of retention, the chain begins with the hash of the last of them.

    :returns: ``{"valid", "lines", "head", "first_broken", "waiting"}``; ``head`` is the last hash that fits,
        ``waiting`` the lines that still wait for their place in the chain: what was committed before has got it first
    """
    tk.check_access("dinamis_journal_verify", context, data_dict)
    found = verify(reading.chain(), reading.start())
    return {
        "valid": found.valid,
        "lines": found.lines,
        "head": found.head,
        "first_broken": found.first_broken,
        "waiting": waiting()[0],
    }
