"""Grouped mails to DINAMIS, where it has no service to call: what is due of one kind leaves together, once.

The ZIP, the mail and what left of each thing are one transaction; the mail leaves after it, as every mail.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ckanext.dinamis_relais import config, daily
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.gateway import grouped, mailer
from ckanext.dinamis_relais.gateway.delivery import record_failure, targets
from ckanext.dinamis_relais.gateway.model import Dossier, Mail, Sending, SendingAnswer, SendingRow
from ckanext.dinamis_relais.gateway.targets import Group, RefusedError, Target
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.transaction import one_commit

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
#: Size of a ZIP that no mail carries: people hand it over by other means.
BY_HAND_MB = 50
#: Rows that are prepared at once.
CHUNK = 100
_QUIETLY: dict[str, Any] = {"synchronize_session": False}


def kinds() -> list[Target]:
    """The targets whose rows leave together."""
    return [target for target in targets() if target.group is not None]


def _group(target: Target) -> Group:
    assert target.group is not None  # noqa: S101  # kinds() gives no other
    return target.group


def by_mail() -> bool:
    """Whether grouped mails can leave by themselves: DINAMIS has an address, and mails may carry a ZIP."""
    return bool(config.board_email()) and config.dossier_attach_mb() > 0


def due(target: Target) -> Any:
    """SQL: rows whose present state DINAMIS does not know, and that may leave."""
    model = target.model
    return sa.and_(model.version > model.delivered_version, model.failed_at.is_(None))


def count_due(target: Target) -> int:
    """How many rows are due."""
    query = sa.select(sa.func.count()).select_from(target.model).where(due(target))
    return int(session().execute(query).scalar() or 0)


def _items(target: Target, limit: int) -> Iterator[grouped.Item]:
    """What is due, the oldest first, each row held; one that cannot be prepared is told and holds up no other."""
    query = sa.select(target.model).where(due(target)).order_by(target.model.next_attempt_at, target.model.id)
    query = query.limit(CHUNK).with_for_update().execution_options(populate_existing=True)
    seen: set[str] = set()
    while rows := list(session().execute(query.where(target.model.id.not_in(seen))).scalars()):
        for row in rows:
            seen.add(row.id)
            try:
                found = grouped.item(_group(target), row, target.prepare(row), limit)
            except Exception as error:  # one broken row must not hold up the others
                log.exception("%s %s cannot be prepared", target.name, row.id)
                record_failure(row, target, RefusedError(f"It could not be prepared: {type(error).__name__}."))
            else:
                yield found


def make(target: Target, actor: str) -> list[Sending]:
    """Let all that is due of one kind leave now; the caller commits.

    :param actor: as in ``journal.record``
    :returns: one sending a mail; none when nothing was due
    """
    # Whoever comes second waits here, then finds nothing due.
    name = f"dinamis_sending_{target.name}"
    session().execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(name))))
    mailed = by_mail()
    limit = (config.dossier_attach_mb() if mailed else BY_HAND_MB) * MEGABYTE
    parts = grouped.parts(_items(target, limit * 9 // 10), limit * 9 // 10)
    return [_one(target, part, actor, mailed) for part in parts]


def _one(target: Target, items: Sequence[grouped.Item], actor: str, mailed: bool) -> Sending:
    group = _group(target)
    content = grouped.archive(group, items, config.relay_name(), ZoneInfo(config.time_zone()))
    sending = Sending(id=new_id(), kind=target.name, dossier_id=new_id(), created_by=actor, created_at=utcnow(),
                      recipient=config.board_email() if mailed else None)  # fmt: skip
    name = f"{group.stem}-{daily.now_here().date().isoformat()}-{sending.id[:8]}.zip"
    kept = Dossier(id=sending.dossier_id, target="sending", object_id=sending.id, version=1, name=name,
                   sha256=hashlib.sha256(content).hexdigest(), size=len(content), content=content)  # fmt: skip
    session().add_all([sending, kept])
    for position, one in enumerate(items, 1):
        _left(target, one.row, sending, position)
    record(Event.SENDING_MADE, actor, "sending", sending.id, None, kind=target.name, count=len(items),
           sha256=kept.sha256)  # fmt: skip
    if sending.recipient:
        values = {"count": len(items), "day": mailer.day(daily.now_here().date()), "hash": kept.sha256}
        mailer.write(group.mail, sending.recipient, "DINAMIS", ("sending", sending.id, None), values, None, kept.id)
    session().flush()
    return sending


def _left(target: Target, row: Any, sending: Sending, position: int) -> None:
    """Note that a row's present version left, in place of the earlier ones."""
    group = _group(target)
    earlier = sa.update(SendingRow).where(SendingRow.kind == target.name, SendingRow.object_id == row.id,
                                          SendingRow.outcome == "waiting")  # fmt: skip
    session().execute(earlier.values(outcome="replaced").execution_options(**_QUIETLY))
    session().add(
        SendingRow(sending_id=sending.id, position=position, kind=target.name, object_id=row.id, version=row.version,
                   state=row.state, outcome="waiting" if group.awaits(row) else "told")
    )  # fmt: skip
    row.delivered_version, row.delivered_at = row.version, utcnow()
    row.attempts, row.last_error, row.next_poll_at, row.lease_until = 0, None, None, None
    record(Event.DELIVERY_DONE, "system", target.name, row.id, version=row.version, sending_id=sending.id)


def send_due() -> int:
    """Let what is due leave, each kind at most once a day, from the configured hour; commits kind by kind.

    :returns: how many mails were written
    """
    if config.gateway_transport() != "dossier" or not by_mail() or not daily.begun(config.grouped_hour()):
        return 0
    made = 0
    for target in kinds():
        if count_due(target):
            with one_commit():
                if daily.first_today("grouped_mail", target.name):
                    made += len(make(target, "system"))
    session().rollback()  # it may only have looked: no transaction stays open while the worker rests
    return made


def confirmed_elsewhere(kind: str, object_id: str, actor: str) -> None:
    """DINAMIS's word was recorded on the thing's own page: nothing is awaited of its grouped mail any more."""
    waiting = sa.update(SendingRow).where(
        SendingRow.kind == kind, SendingRow.object_id == object_id, SendingRow.outcome == "waiting"
    )
    values = {"outcome": "confirmed", "decided_at": utcnow(), "decided_by": actor}
    session().execute(waiting.values(**values).execution_options(**_QUIETLY))


def held_on(object_ids: Iterable[str]) -> list[dict[str, Any]]:
    """In which grouped mails things of a person left, for the export of their data."""
    query = sa.select(SendingRow, Sending, Dossier.name, Dossier.sha256)
    query = query.join(Sending, Sending.id == SendingRow.sending_id).join(Dossier, Dossier.id == Sending.dossier_id)
    query = query.where(SendingRow.object_id.in_(set(object_ids))).order_by(Sending.created_at)
    return [
        {"kind": row.kind, "object_id": row.object_id, "at": isoformat(sending.created_at), "to": sending.recipient,
         "file": name, "sha256": sha256, "kept": sending.wiped_at is None}
        for row, sending, name, sha256 in session().execute(query)
    ]  # fmt: skip


def forget(kind: str, object_id: str) -> None:
    """Wipe the ZIPs in which an erased thing is, and what was recorded of them; the caller commits.

    What stays: which things left when, and the SHA-256. A mail that has not left yet does not leave: what else was in
    it is due again.
    """
    db = session()
    ids = list(db.execute(sa.select(SendingRow.sending_id).where(
        SendingRow.kind == kind, SendingRow.object_id == object_id)).scalars())  # fmt: skip
    if not ids:
        return
    db.flush()
    for sending in db.execute(sa.select(Sending).where(Sending.id.in_(ids), Sending.wiped_at.is_(None))).scalars():
        sending.wiped_at = utcnow()
        _take_back(sending)
        kept = sa.update(Dossier).where(Dossier.id == sending.dossier_id)
        db.execute(kept.values(content=None).execution_options(**_QUIETLY))
        answers = sa.update(SendingAnswer).where(SendingAnswer.sending_id == sending.id)
        db.execute(answers.values(words="", reference="", content=None).execution_options(**_QUIETLY))
    db.flush()


def _take_back(sending: Sending) -> None:
    """Stop a mail that has not left yet, and make due again what it held."""
    db = session()
    mails = sa.select(Mail).where(Mail.object_type == "sending", Mail.object_id == sending.id,
                                  Mail.version > Mail.delivered_version)  # fmt: skip
    waiting = list(db.execute(mails.with_for_update()).scalars())
    if not waiting:
        return
    for mail in waiting:
        mail.delivered_version, mail.lease_until = mail.version, None
    table = next(target.model for target in kinds() if target.name == sending.kind)
    rows = list(db.execute(sa.select(SendingRow).where(SendingRow.sending_id == sending.id)).scalars())
    due_again = sa.update(table).where(table.id.in_([row.object_id for row in rows]),
                                       table.version == table.delivered_version)  # fmt: skip
    values = {"version": table.version + 1, "next_attempt_at": utcnow()}
    db.execute(due_again.values(**values).execution_options(synchronize_session="fetch"))
    for row in rows:
        row.outcome = "replaced"
