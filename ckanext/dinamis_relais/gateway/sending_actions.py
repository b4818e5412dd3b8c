"""Grouped mails to DINAMIS: what is due, what left, and recording what DINAMIS answered."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict
from sqlalchemy.orm import defer

from ckanext.dinamis_relais import batch, config, db
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.uploads import go_on
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.gateway import answers, sendings
from ckanext.dinamis_relais.gateway.model import Dossier, Mail, Sending, SendingAnswer, SendingRow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import list_schema, listed, validated, validator
from ckanext.dinamis_relais.transaction import one_commit


def _missing() -> str:
    return tk._("This grouped mail does not exist.")


def _counts(ids: list[str]) -> dict[str, dict[str, int]]:
    query = sa.select(SendingRow.sending_id, SendingRow.outcome, sa.func.count())
    query = query.where(SendingRow.sending_id.in_(ids)).group_by(SendingRow.sending_id, SendingRow.outcome)
    found: dict[str, dict[str, int]] = {id_: {} for id_ in ids}
    for id_, outcome, number in session().execute(query):
        found[id_][outcome] = number
    return found


def _dictize(sending: Sending) -> dict[str, Any]:
    kept = session().execute(
        sa.select(Dossier).where(Dossier.id == sending.dossier_id).options(defer(Dossier.content))
    ).scalar_one()  # fmt: skip
    mail = sa.select(Mail.delivered_at, Mail.failed_at, Mail.last_error)
    left = session().execute(mail.where(Mail.object_type == "sending", Mail.object_id == sending.id)).first()
    counts = _counts([sending.id])[sending.id]
    return {
        "id": sending.id,
        "kind": sending.kind,
        "created_at": isoformat(sending.created_at),
        "created_by": sending.created_by,
        "recipient": sending.recipient,
        "mailed_at": isoformat(left.delivered_at) if left else None,
        "mail_error": left.last_error if left else None,
        "name": kept.name,
        "sha256": kept.sha256,
        "size": kept.size,
        "wiped_at": isoformat(sending.wiped_at),
        "total": sum(counts.values()),
        "counts": counts,
    }


def _waiting_to_leave() -> list[dict[str, Any]]:
    found = []
    for target in sendings.kinds():
        left = sa.select(sa.func.max(Sending.created_at)).where(Sending.kind == target.name)
        awaited = sa.select(sa.func.count()).where(SendingRow.kind == target.name, SendingRow.outcome == "waiting")
        found.append({"kind": target.name, "due": sendings.count_due(target),
                      "awaited": session().execute(awaited).scalar() or 0,
                      "last_at": isoformat(session().execute(left).scalar())})  # fmt: skip
    return found


@tk.side_effect_free
def dinamis_sending_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Grouped mails to DINAMIS, the newest first, and what is due of each kind.

    :param state: ``waiting``: only those of which a confirmation is awaited
    :param q: only this kind (``account``, ``question``, ``request``)
    :returns: ``{"count", "results", "kinds", "transport", "by_mail"}``; ``kinds``: of each ``{"kind", "due",
        "awaited", "last_at"}``; ``by_mail``: whether they leave by themselves
    """
    tk.check_access("dinamis_sending_list", context, data_dict)
    params = validated(data_dict, list_schema(), context)
    query = sa.select(Sending)
    if params.get("q"):
        query = query.where(Sending.kind == params["q"])
    if params.get("state"):
        of_them = sa.select(SendingRow.id).where(
            SendingRow.sending_id == Sending.id, SendingRow.outcome == params["state"]
        )
        query = query.where(of_them.exists())
    found = listed(query, params, [Sending.created_at.desc(), Sending.id], _dictize)
    return {**found, "kinds": _waiting_to_leave(), "transport": config.gateway_transport(),
            "by_mail": sendings.by_mail()}  # fmt: skip


def _row_dict(row: SendingRow, things: dict[str, Any], said: dict[str, SendingAnswer], group: Any) -> dict[str, Any]:
    thing, answer = things.get(row.object_id), said.get(row.answer_id or "")
    return {
        "id": row.id,
        "object_id": row.object_id,
        "title": (group.title(thing) if thing is not None else "") or row.object_id,
        "version": row.version,
        "state": row.state,
        "state_now": thing.state if thing is not None else None,
        "changed": thing is not None and thing.version != row.version,
        "outcome": row.outcome,
        "decided_at": isoformat(row.decided_at),
        "decided_by": row.decided_by,
        "words": answer.words if answer else "",
        "reference": answer.reference if answer else "",
        "proof": answer.id if answer and answer.content is not None else None,
    }


@tk.side_effect_free
def dinamis_sending_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One grouped mail, with what was in it and what DINAMIS said of each.

    :param id: the grouped mail
    :param state: only rows of one outcome (``waiting``, ``told``, ``confirmed``, ``refused``, ``replaced``)
    :param limit, offset: page of the rows
    :returns: as ``dinamis_sending_list``'s rows, with ``count`` and ``results``: ``{"id", "object_id", "title",
        "version", "state", "outcome", "words", "reference", "proof", …}``
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_sending_show", context, data_dict)
    params = validated({k: v for k, v in data_dict.items() if k != "id"}, list_schema(), context)
    sending = session().get(Sending, str(id_))
    if sending is None:
        raise tk.ObjectNotFound(_missing())
    target, group = answers.target_of(sending.kind)
    query = sa.select(SendingRow).where(SendingRow.sending_id == sending.id)
    if params.get("state"):
        query = query.where(SendingRow.outcome == params["state"])
    rows = listed(query, params, SendingRow.position, lambda row: row)
    things_of = sa.select(target.model).where(target.model.id.in_([row.object_id for row in rows["results"]]))
    things = {one.id: one for one in session().execute(things_of).scalars()}
    kept = sa.select(SendingAnswer).where(SendingAnswer.sending_id == sending.id)
    said = {one.id: one for one in session().execute(kept).scalars()}
    results = [_row_dict(row, things, said, group) for row in rows["results"]]
    return {**_dictize(sending), "count": rows["count"], "results": results, "page": group.page}


def dinamis_sending_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Let what is due of one kind leave for DINAMIS now, grouped: its ZIP is kept, its mail leaves within seconds.

    :param kind: ``account``, ``question`` or ``request``
    :returns: ``{"count", "results"}``: one a mail
    :raises toolkit.ValidationError: nothing is due; or this site delivers to DINAMIS's service
    """
    tk.check_access("dinamis_sending_create", context, data_dict)
    kind = str(tk.get_or_bust(data_dict, "kind"))
    with one_commit():
        target, _group = answers.target_of(kind)
        if config.gateway_transport() != "dossier":
            raise GuardError("kind", tk._("This site delivers to DINAMIS's service: nothing leaves by grouped mail."))
        made = sendings.make(target, actor_of(context))
        if not made:
            raise GuardError("kind", tk._("Nothing is due: all of it has left already."))
    return {"count": len(made), "results": [_dictize(sending) for sending in made]}


def _opened(context: Context, sending_id: str, what: str) -> None:
    """Who looked at what left is journalled: it holds personal data."""
    with one_commit():
        record(Event.SENDING_OPENED, actor_of(context), "sending", sending_id, None, what=what)


def dinamis_sending_file(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """The ZIP of a grouped mail, as it left; journalled.

    :param id: the grouped mail
    :returns: ``{"name", "content", "sha256"}``, the content as bytes
    :raises toolkit.ObjectNotFound: there is none; or a person in it was erased since, and its bytes with them
    """
    id_ = str(tk.get_or_bust(data_dict, "id"))
    tk.check_access("dinamis_sending_file", context, data_dict)
    sending = session().get(Sending, id_)
    kept = session().get(Dossier, sending.dossier_id) if sending else None
    if sending is None or kept is None:
        raise tk.ObjectNotFound(_missing())
    if kept.content is None:
        raise tk.ObjectNotFound(tk._("This file was wiped, since a person in it was erased. Its SHA-256 is kept."))
    found = {"name": kept.name, "content": kept.content, "sha256": kept.sha256}
    _opened(context, sending.id, "zip")
    return found


def dinamis_sending_proof(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """The file that was kept with a recorded answer; journalled.

    :param id: the answer (``proof`` of a row in ``dinamis_sending_show``)
    :returns: ``{"media_type", "content", "sha256"}``, the content as bytes
    """
    id_ = str(tk.get_or_bust(data_dict, "id"))
    tk.check_access("dinamis_sending_proof", context, data_dict)
    answer = session().get(SendingAnswer, id_)
    if answer is None or answer.content is None:
        raise tk.ObjectNotFound(tk._("No file was kept with this answer."))
    found = {"media_type": answer.media_type, "content": answer.content, "sha256": answer.sha256}
    _opened(context, answer.sending_id, "proof")
    return found


def _text(longest: int) -> list[Any]:
    from ckanext.dinamis_relais.questions.rules import clean

    def short(value: str) -> str:
        kept = clean(value, lines=True)
        if len(kept) > longest:
            raise tk.Invalid(tk._("At most {number} characters, please.").format(number=longest))
        return kept

    return [validator("default")(""), validator("unicode_safe"), short]


def _answer_schema() -> dict[str, Any]:
    one_of = validator("one_of")(["confirmed", "refused"])
    return {
        "id": [validator("not_empty"), validator("unicode_safe")],
        "outcome": [validator("not_empty"), one_of],
        "words": _text(answers.LONGEST["words"]),
        "reference": _text(answers.LONGEST["reference"]),
    }


def _chosen(sending_id: str, data_dict: DataDict) -> list[SendingRow]:
    query = sa.select(SendingRow).where(SendingRow.sending_id == sending_id).order_by(SendingRow.position)
    if tk.asbool(data_dict.get("all", False)):
        query = query.where(SendingRow.outcome == "waiting")
    else:
        ids = data_dict.get("ids") or []
        query = query.where(SendingRow.id.in_(ids.split(",") if isinstance(ids, str) else list(ids)))
    rows = list(session().execute(query.execution_options(populate_existing=True)).scalars())
    if not rows:
        raise GuardError("ids", tk._("Nothing is chosen: tick at least one row."))
    return rows


def _hold(data: dict[str, Any], kind: str, rows: list[SendingRow]) -> None:
    """Refuse what cannot be meant.

    :raises GuardError: what to put right
    """
    if data["outcome"] == "refused" and not data["words"]:
        raise GuardError("words", tk._("Say why DINAMIS refuses: the reason is part of the message that will leave."))
    if kind == "question" and data["words"] and len(rows) > 1:
        raise GuardError("words", tk._("An answer is about one question: tick one, record its answer, then the next."))
    longest = answers.LONGEST["account"]
    if kind == "account" and len(data["words"]) > longest:
        raise GuardError("words", tk._("At most {number} characters, please.").format(number=longest))
    if all(row.outcome != "waiting" for row in rows):
        raise GuardError("ids", answers.decided(rows[0]))


def dinamis_sending_answer(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Record what DINAMIS answered to a grouped mail. Each row is done for itself: one that fails stops no other.

    A confirmed account becomes active, a refused one is closed with the reason; words about a question go into its
    thread as DINAMIS's answer; a refused request is not accepted, with the reason. Each once.

    :param id: the grouped mail
    :param ids: rows of it; or ``all``: true for all of which a confirmation is awaited
    :param outcome: ``confirmed`` or ``refused``
    :param words: DINAMIS's answer; why not, with ``refused``
    :param reference: DINAMIS's reference
    :param file: its written answer: PDF, PNG or JPEG; optional
    :param wait: true (default up to 30 rows): do it before answering; false: a worker does it
    :returns: ``dinamis_batch_show``'s answer
    """
    tk.check_access("dinamis_sending_answer", context, data_dict)
    asked = {name: data_dict[name] for name in _answer_schema() if name in data_dict}
    data = validated(asked, _answer_schema(), context)
    if _given(data_dict.get("file")):
        from ckanext.dinamis_relais.membership.documents import proof_of

        data["proof"] = proof_of(data_dict)
    actor = actor_of(context)
    with one_commit():
        sending = db.locked(Sending, data["id"], _missing())
        rows = _chosen(sending.id, data_dict)
        _hold(data, sending.kind, rows)
        answer = answers.keep(sending.id, data, actor)
        params = {"answer_id": answer.id, "sending_id": sending.id, "outcome": data["outcome"]}
        work = batch.prepare("sending_answer", params, answers.planned(rows), actor)
        batch.begin(work)
    return go_on(context, work.id, data_dict, len(rows), True)


def _given(file: Any) -> bool:
    """Whether a form or a caller gave a file at all."""
    return bool(file) if isinstance(file, bytes) else bool(getattr(file, "filename", ""))
