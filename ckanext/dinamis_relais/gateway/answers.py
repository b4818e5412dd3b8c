"""What DINAMIS answered to a grouped mail, recorded by the super-référent: row by row, each once."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import db
from ckanext.dinamis_relais.batch.rules import DONE, UNCHANGED, WAITING, Outcome, Row
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.model import SendingAnswer, SendingRow
from ckanext.dinamis_relais.gateway.sendings import kinds
from ckanext.dinamis_relais.gateway.targets import Group, Said, Target
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError

#: Longest texts that are taken, in characters: an account's reason, a question's answer.
LONGEST = {"words": 10_000, "account": 2000, "reference": 200}


def target_of(kind: str) -> tuple[Target, Group]:
    """The target of a kind and how it leaves.

    :raises GuardError: nothing leaves so
    """
    for target in kinds():
        if target.name == kind and target.group is not None:
            return target, target.group
    names = ", ".join(target.name for target in kinds())
    raise GuardError("kind", tk._("'{value}' is not possible. Choose one of: {names}.").format(value=kind, names=names))


def decided(row: SendingRow) -> str:
    """The sentence for who comes second: what was recorded of a row, when, by whom."""
    person = model.User.get(row.decided_by) if row.decided_by else None
    who = (person.fullname or person.name) if person else tk._("Somebody else")
    if row.outcome == "confirmed":
        text = tk._("{who} recorded DINAMIS's confirmation already ({date}). Nothing was done twice.")
    elif row.outcome == "refused":
        text = tk._("{who} recorded DINAMIS's refusal already ({date}). Nothing was done twice.")
    elif row.outcome == "replaced":
        return tk._("It has changed since, and left again with a newer mail: record the answer there.")
    else:
        return tk._("Nothing is awaited of it.")
    return text.format(who=who, date=tk.h.dinamis_datetime(isoformat(row.decided_at)))


def planned(rows: list[SendingRow]) -> list[Row]:
    """The rows of the piece of work that records an answer; those that were decided already say so."""
    found = []
    for row in rows:
        target, group = target_of(row.kind)
        thing = session().get(target.model, row.object_id)
        subject = (group.title(thing) if thing is not None else "") or row.object_id
        if row.outcome == "waiting":
            found.append(Row(subject, {"id": row.id}, WAITING, "", row.object_id))
        else:
            found.append(Row(subject, {}, UNCHANGED, decided(row), row.object_id))
    return found


def keep(sending_id: str, data: dict[str, Any], actor: str) -> SendingAnswer:
    """Put an answer into the present transaction.

    :param data: ``outcome``, ``words``, ``reference``, and ``proof`` (``membership.proofs.Proof``) if there is one
    """
    proof = data.get("proof")
    answer = SendingAnswer(id=db.new_id(), sending_id=sending_id, created_by=actor, created_at=utcnow(),
                           **{name: data[name] for name in ("outcome", "words", "reference")})  # fmt: skip
    if proof is not None:
        answer.media_type, answer.content, answer.size = proof.media_type, proof.content, len(proof.content)
        answer.sha256 = hashlib.sha256(proof.content).hexdigest()
    session().add(answer)
    session().flush()
    return answer


def take(row_id: str, answer_id: str, actor: str) -> Outcome:
    """Take an answer over into one row and into what it is about; the caller commits.

    :raises GuardError: it changed since it left, or its room does not take this
    :raises machine.TransitionError: its present state does not allow it
    """
    # The thing first, then its row: the order in which a sending holds them, so that none waits for the other for ever.
    kind, object_id = _about(row_id)
    target, _group = target_of(kind)
    thing = db.locked(target.model, object_id, tk._("It does not exist any more."))
    row = db.locked(SendingRow, row_id, tk._("It does not exist any more."))
    if row.outcome != "waiting":
        return Outcome(UNCHANGED, decided(row), row.object_id)
    if thing.version != row.version:
        raise GuardError("id", tk._("It has changed since it left, and leaves again: record the answer to that mail."))
    answer = session().get(SendingAnswer, answer_id)
    if answer is None:
        raise tk.ObjectNotFound(tk._("This answer does not exist."))
    refused = answer.outcome == "refused"
    row.outcome, row.answer_id, row.decided_at, row.decided_by = answer.outcome, answer.id, utcnow(), actor
    record(Event.DELIVERY_REFUSED if refused else Event.DELIVERY_CONFIRMED, actor, target.name, thing.id,
           getattr(thing, "organization_id", None), {"reason": answer.words} if answer.words else None,
           sending_id=row.sending_id, version=row.version, answer_id=answer.id,
           proof_sha256=answer.sha256)  # fmt: skip
    _settle(target, thing, row, answer, actor)
    session().flush()
    return Outcome(DONE, tk._("Recorded: refused.") if refused else tk._("Recorded: confirmed."), thing.id)


def _about(row_id: str) -> tuple[str, str]:
    query = sa.select(SendingRow.kind, SendingRow.object_id).where(SendingRow.id == row_id)
    found = session().execute(query).first()
    if found is None:
        raise tk.ObjectNotFound(tk._("It does not exist any more."))
    return found[0], found[1]


def _settle(target: Target, thing: Any, row: SendingRow, answer: SendingAnswer, actor: str) -> None:
    group = target.group
    assert group is not None  # noqa: S101  # target_of() gives no other
    said = Said(f"sending-{row.id}", answer.outcome == "refused", answer.words, answer.reference, actor)
    group.settle(thing, said)
