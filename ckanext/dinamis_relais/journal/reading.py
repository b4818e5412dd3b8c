"""The journal as it is searched and exported: a line at a time from the server, however many there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, cast
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
import orjson
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.journal import as_mapping, settle
from ckanext.dinamis_relais.journal.model import JournalCheckpoint, JournalLine, JournalPrivate
from ckanext.dinamis_relais.journal.rules import COVERED, GENESIS, stamp
from ckanext.dinamis_relais.journal.settling import settle_all
from ckanext.dinamis_relais.schema import list_schema, validator
from ckanext.dinamis_relais.tables import Column, Table

#: Lines that the server hands over at once.
PORTION = 2000
_CHUNK = 5000
#: What a search names; all of it may be combined.
FILTERS = ("q", "object_type", "object_id", "organization_id", "actor", "who", "about", "since", "until")

USER: Any = cast(Any, model.User).__table__
GROUP: Any = cast(Any, model.Group).__table__


def _day(value: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise tk.Invalid(tk._("Write the day as 2026-03-31.")) from error


def filters() -> dict[str, Any]:
    """The parameters of ``dinamis_journal_list``."""
    text = [validator("ignore_missing"), validator("unicode_safe")]
    day = [validator("ignore_empty"), _day]
    words = dict.fromkeys(("object_type", "object_id", "actor", "who", "about"), text)
    return {**list_schema(), **words, "since": day, "until": day}


def _like(text: str) -> str:
    return "%" + text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(config.time_zone()))


def narrowed(query: Any, params: dict[str, Any]) -> Any:
    """A ``select`` of lines with what a search names.

    :param params: validated :func:`filters`; ``since`` and ``until`` are whole days, both within
    """
    line = JournalLine.__table__.c
    for name in ("object_id", "object_type", "actor"):
        if params.get(name):
            query = query.where(line[name] == params[name])
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(line.organization_id == (group.id if group else params["organization_id"]))
    if params.get("q"):
        query = query.where(line.event.startswith(params["q"], autoescape=True))
    if params.get("who"):
        like = _like(params["who"])
        named = sa.select(USER.c.id).where(sa.or_(USER.c.fullname.ilike(like), USER.c.name.ilike(like)))
        query = query.where(sa.or_(line.actor.in_(named), line.actor == params["who"].strip()))
    if params.get("about"):
        query = query.where(
            line.organization_id.in_(sa.select(GROUP.c.id).where(GROUP.c.title.ilike(_like(params["about"]))))
        )
    if params.get("since"):
        query = query.where(line.at >= _midnight(params["since"]))
    if params.get("until"):
        query = query.where(line.at < _midnight(params["until"] + dt.timedelta(days=1)))
    if params.get("until_line"):
        query = query.where(line.id <= params["until_line"])
    return query


def _streamed(query: Any) -> Iterator[Any]:
    """Rows of a query by a cursor of the server, on a connection of its own: the export may outlive its request."""
    options = {"stream_results": True, "max_row_buffer": PORTION}
    settle_all()
    engine: Any = cast(Any, model.meta).engine
    with engine.connect().execution_options(**options) as connection:
        yield from connection.execute(query)


def json_lines(params: dict[str, Any]) -> Iterator[bytes]:
    """Lines as JSON Lines, the oldest first, with all that the chain covers: :func:`rules.verify` reads them anywhere.

    Texts that people typed stay behind: they may be erased here, and could not be in a copy.
    """
    line = JournalLine.__table__
    out: list[bytes] = []
    for row in _streamed(narrowed(sa.select(line), params).order_by(line.c.id)):
        found = {key: getattr(row, key) for key in COVERED} | {"at": stamp(row.at)}
        out.append(orjson.dumps({**found, "previous_hash": row.previous_hash, "hash": row.hash}))
        if len(out) >= PORTION:
            yield b"\n".join(out) + b"\n"
            out.clear()
    if out:
        yield b"\n".join(out) + b"\n"


def table(params: dict[str, Any]) -> Table:
    """The same lines as a table, with people and organisations by their names."""
    line = JournalLine.__table__
    names = sa.func.coalesce(sa.func.nullif(USER.c.fullname, ""), USER.c.name)
    query = sa.select(line, names.label("actor_name"), GROUP.c.title.label("organization_title")).select_from(
        line.outerjoin(USER, USER.c.id == line.c.actor).outerjoin(GROUP, GROUP.c.id == line.c.organization_id)
    )
    words = tk.h.dinamis_event_label, tk.h.dinamis_actor_label, tk.h.dinamis_object_label
    event, actor, thing = words

    def rows() -> Iterator[list[Any]]:
        for row in _streamed(narrowed(query, params).order_by(line.c.id)):
            data = orjson.dumps(row.data).decode() if row.data else ""
            yield [row.id, row.at, event(row.event), row.event, actor(row.actor, row.actor_name or ""),
                   thing(row.object_type), row.object_id, row.organization_title, data, row.hash]  # fmt: skip

    columns = [Column(tk._("Line"), "integer"), Column(tk._("When"), "moment"), Column(tk._("What")),
               Column(tk._("Kind of event")), Column(tk._("Who")), Column(tk._("About")), Column(tk._("Identifier")),
               Column(tk._("Organisation")), Column(tk._("Details")), Column(tk._("Hash"))]  # fmt: skip
    return Table("journal", columns, rows())


def start() -> tuple[int, str]:
    """Where the chain begins: number and hash of the last line that was pruned; 0 and the genesis when none was."""
    query = sa.select(JournalCheckpoint).order_by(JournalCheckpoint.line_id.desc()).limit(1)
    row = session().execute(query).scalar_one_or_none()
    return (row.line_id, row.hash) if row else (0, GENESIS)


def chain() -> Iterator[dict[str, Any]]:
    """All lines that were committed, with their private texts, as :func:`rules.verify` reads them; in portions."""
    settle()
    line, private = JournalLine.__table__, JournalPrivate.__table__
    columns = (line, private.c.salt.label("private_salt"), private.c.data.label("private_data"))
    both = sa.select(*columns).select_from(line.outerjoin(private, private.c.line_id == line.c.id))
    after = -1  # a line from before the beginning is none of the chain's
    while True:
        page = list(session().execute(both.where(line.c.id > after).order_by(line.c.id).limit(_CHUNK)))
        if not page:
            return
        yield from map(as_mapping, page)
        after = page[-1].id
