"""The papers of a file, the check of one, and papers that PIGMA adds as proof."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import actor_of, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.membership import deeds, dictize, effects, papers, proofs, rules, seals
from ckanext.dinamis_relais.membership.applications import Data, locked, readable
from ckanext.dinamis_relais.membership.machines import BOARD_TRANSITIONS
from ckanext.dinamis_relais.membership.model import Application, Document
from ckanext.dinamis_relais.rooms import collect
from ckanext.dinamis_relais.transaction import one_commit


def proof_of(data_dict: Data) -> proofs.Proof:
    """The uploaded paper: bytes, or what a page's form gives.

    :raises toolkit.ValidationError: names what is wrong with it
    """
    limit = config.proof_mb() * proofs.MEGABYTE
    given: Any = data_dict.get("file")
    content = given if isinstance(given, bytes) else given.stream.read(limit + 1) if hasattr(given, "stream") else b""
    try:
        return proofs.check(content, limit)
    except proofs.ProofProblem as error:
        sentence = {
            "empty": tk._("Add the paper as a file: a PDF or a picture (PNG, JPEG)."),
            "large": tk._("This file is too large: {size} MB at most.").format(size=config.proof_mb()),
            "type": tk._("This file is neither a PDF nor a picture (PNG, JPEG), or it is damaged. Scan it again."),
        }[str(error)]
        raise tk.ValidationError({"file": [sentence]}) from error


def dinamis_signature_upload(context: Context, data_dict: Data) -> Data:
    """Record the paper that was signed by hand: the file then counts as signed, with it as proof.

    :param id: the file, whose signature is awaited
    :param file: the paper: PDF, PNG or JPEG
    :param signed_on: day of the signature (ISO 8601), today at the latest
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_signature_upload", context, data_dict)
    proof = proof_of(data_dict)
    try:
        day = dt.date.fromisoformat(str(data_dict.get("signed_on") or ""))
    except ValueError as error:
        sentence = tk._("Give the day of the signature, for instance 2026-11-24.")
        raise tk.ValidationError({"signed_on": [sentence]}) from error
    if day > utcnow().date():
        raise tk.ValidationError({"signed_on": [tk._("This day is still to come. Give the day of the signature.")]})
    row = locked(id_)
    with one_commit():
        effects.apply(row, "record_signature", actor_of(context), {"proof": proof, "signed_on": day.isoformat()})
    return dictize.application(row, user_of(context))


def _given_on(row: Application, value: Any) -> dt.date:
    """The day on which the board answered; today for none.

    :raises toolkit.ValidationError: no day, one to come, or one before the file (its row held) was sent
    """
    today = deeds.local_day(utcnow())
    if value in (None, ""):
        return today
    try:
        day = dt.date.fromisoformat(str(value))
    except ValueError:
        problem, sent = "form", None
    else:
        sent = deeds.local_day(row.submitted_at) if row.submitted_at else None
        problem = rules.answer_day_problem(day, today, sent)
        if problem is None:
            return day
    session().rollback()
    sentence = {
        "form": tk._("Day of the board's answer: give it as a date, for instance 2026-11-24."),
        "future": tk._("Day of the board's answer: this day is still to come. Give today or an earlier day."),
        "early": tk._(
            "Day of the board's answer: the file was sent to the board on {date}. Give that day or a later one."
        ),
    }[problem]
    raise tk.ValidationError({"given_on": [sentence.format(date=mailer.day(sent) if sent else "")]})


def dinamis_decision_record(context: Context, data_dict: Data) -> Data:
    """Record what the executive board decided by a written answer, with that answer as proof.

    :param id: the file, which the board has to decide
    :param transition: ``accept``, ``defer``, ``ask_changes`` or ``refuse``
    :param file: the answer: PDF, PNG or JPEG
    :param reason: what the board says, for all but ``accept``
    :param reference: the board's reference
    :param given_on: day on which the board gave its answer (ISO 8601), today by default; neither later than today nor
        before the file was sent to it
    """
    id_, name = tk.get_or_bust(data_dict, ["id", "transition"])
    tk.check_access("dinamis_decision_record", context, data_dict)
    if name not in BOARD_TRANSITIONS:
        names = ", ".join(BOARD_TRANSITIONS)
        raise tk.ValidationError({"transition": [tk._("Choose one of: {names}.").format(names=names)]})
    proof = proof_of(data_dict)
    actor = actor_of(context)
    row = locked(id_)
    data = {"proof": proof, "given_on": _given_on(row, data_dict.get("given_on")),
            "reason": data_dict.get("reason"), "reference": data_dict.get("reference")}  # fmt: skip
    data = deeds.beforehand(row, name, actor, data)
    row = locked(id_)
    with one_commit():
        if row.state != "submitted":
            effects.APPLICATION.row(row.state, "accept")
        effects.apply(row, name, actor, data)
    return dictize.application(row, user_of(context))


@tk.side_effect_free
def dinamis_document_list(context: Context, data_dict: Data) -> Data:
    """A file's papers, the oldest first.

    :param application_id: the file
    :param verify: True to check each paper anew: its bytes against the journalled hash, its seal by the PDF itself
    """
    id_ = tk.get_or_bust(data_dict, "application_id")
    tk.check_access("dinamis_document_list", context, data_dict)
    rows = papers.of_application(readable(id_, user_of(context)).id)
    shown = seals.checked if tk.asbool(data_dict.get("verify", False)) else dictize.document
    return {"count": len(rows), "results": [shown(row) for row in rows]}


@tk.side_effect_free
def dinamis_document_show(context: Context, data_dict: Data) -> Data:
    """One paper: kind, version, SHA-256, and in ``url`` where its bytes are."""
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_document_show", context, data_dict)
    row = session().get(Document, id_)
    if row is None:
        raise tk.ObjectNotFound(tk._("This document does not exist."))
    readable(row.application_id, user_of(context))
    return dictize.document(row)


@tk.side_effect_free
def dinamis_document_verify(context: Context, data_dict: Data) -> Data:
    """Whether a file is one of ours, unchanged.

    :param sha256: hash of the file (hex)
    :returns: ``{"known", "kind", "title", "created_at", "sealed"}``; ``kind`` that of a file's paper, or ``report``;
        nothing else of what it belongs to
    """
    tk.check_access("dinamis_document_verify", context, data_dict)
    sha256 = str(tk.get_or_bust(data_dict, "sha256")).strip().lower()
    if len(sha256) != hashlib.sha256().digest_size * 2:
        raise tk.ValidationError({"sha256": [tk._("A SHA-256 has 64 hexadecimal characters.")]})
    row = session().execute(sa.select(Document).where(Document.sha256 == sha256)).scalars().first()
    if row is not None:
        return {"known": True, "kind": row.kind, "title": papers.TITLES.get(row.kind, row.kind),
                "created_at": isoformat(row.created_at), "sealed": row.sealed}  # fmt: skip
    elsewhere = (find(sha256) for find in collect("verifiable").values())
    found = next((one for one in elsewhere if one is not None), None)
    return {"known": True, **found} if found else {"known": False}
