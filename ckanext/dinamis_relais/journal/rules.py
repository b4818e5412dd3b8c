"""The chain of hashes: pure, so that a file exported from the journal can be verified anywhere."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

#: What stands before the first line.
GENESIS = "0" * 64


class Event(str, Enum):
    """The closed list of what is journalled: ``<kind of object>.<past participle>``."""

    ROLE_GRANTED = "role.granted"
    ROLE_REVOKED = "role.revoked"
    APPLICATION_CREATED = "application.created"
    APPLICATION_UPDATED = "application.updated"
    APPLICATION_CLAIMED = "application.claimed"
    APPLICATION_SIGNATURE_REQUESTED = "application.signature_requested"
    APPLICATION_SIGNED = "application.signed"
    APPLICATION_SIGNATURE_DELEGATED = "application.signature_delegated"
    APPLICATION_SIGNATURE_REVOKED = "application.signature_revoked"
    APPLICATION_SIGNED_ON_PAPER = "application.signed_on_paper"
    APPLICATION_REVIEW_STARTED = "application.review_started"
    APPLICATION_ELIGIBILITY_CONFIRMED = "application.eligibility_confirmed"
    APPLICATION_INELIGIBLE = "application.declared_ineligible"
    APPLICATION_CHANGES_REQUESTED = "application.changes_requested"
    APPLICATION_RESUBMITTED = "application.resubmitted"
    APPLICATION_ACCEPTED = "application.accepted"
    APPLICATION_REFUSED = "application.refused"
    APPLICATION_DEFERRED = "application.deferred"
    APPLICATION_WITHDRAWN = "application.withdrawn"
    APPLICATION_REOPENED = "application.reopened"
    DOSSIER_KEPT = "dossier.kept"
    DOSSIER_SENT_AGAIN = "dossier.sent_again"
    DOSSIER_LINK_REVOKED = "dossier.link_revoked"
    APPLICATION_REMINDED = "application.reminded"
    APPLICATION_ACCEPTANCE_REGISTERED = "application.acceptance_registered"
    NOTE_WRITTEN = "note.written"
    NOTE_DELETED = "note.deleted"
    MEMBERSHIP_ACTIVATED = "membership.activated"
    MEMBERSHIP_SUSPENDED = "membership.suspended"
    MEMBERSHIP_RESUMED = "membership.resumed"
    MEMBERSHIP_ENDED = "membership.ended"
    MEMBERSHIP_TERM_OVER = "membership.term_over"
    MEMBERSHIP_LAPSED = "membership.lapsed"
    CONVENTION_ENTERED = "convention.entered"
    CONVENTION_CHANGED = "convention.changed"
    DOCUMENT_CREATED = "document.created"
    ACCOUNT_REQUESTED = "account.requested"
    ACCOUNT_VALIDATED = "account.validated"
    ACCOUNT_ACTIVATED = "account.activated"
    ACCOUNT_REFUSED = "account.refused"
    ACCOUNT_SUSPENDED = "account.suspended"
    ACCOUNT_RESUMED = "account.resumed"
    ACCOUNT_CLOSED = "account.closed"
    ACCOUNT_EXPIRED = "account.expired"
    ACCOUNT_CORRECTED = "account.corrected"
    ACCOUNT_INVITED = "account.invited_again"
    ACCOUNT_JOINED = "account.joined"
    ACCOUNT_CHARTER_ACCEPTED = "account.charter_accepted"
    ACCOUNT_KEPT = "account.kept"
    ACCOUNT_HANDED_OVER = "account.handed_over"
    ACCOUNT_ERASURE_REQUESTED = "account.erasure_requested"
    ACCOUNT_ERASED = "account.erased"
    PERSONAL_DATA_EXPORTED = "personal_data.exported"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    IDENTITY_REFUSED = "identity.refused"
    LICENCE_ACCEPTED = "licence.accepted"
    IMAGES_SIGNED = "images.signed"
    QUESTION_ASKED = "question.asked"
    QUESTION_WRITTEN = "question.written"
    QUESTION_ANSWERED = "question.answered"
    QUESTION_ESCALATED = "question.escalated"
    QUESTION_REOPENED = "question.reopened"
    QUESTION_CLOSED = "question.closed"
    QUESTION_ERASED = "question.erased"
    GUIDE_CREATED = "guide.created"
    GUIDE_CHANGED = "guide.changed"
    GUIDE_PUBLISHED = "guide.published"
    GUIDE_UNPUBLISHED = "guide.unpublished"
    GUIDE_RESTORED = "guide.restored"
    USE_CASE_CREATED = "use_case.created"
    USE_CASE_CHANGED = "use_case.changed"
    USE_CASE_PROPOSED = "use_case.proposed"
    USE_CASE_WITHDRAWN = "use_case.withdrawn"
    USE_CASE_SENT_BACK = "use_case.sent_back"
    USE_CASE_PUBLISHED = "use_case.published"
    USE_CASE_UNPUBLISHED = "use_case.unpublished"
    USE_CASE_DISCARDED = "use_case.discarded"
    USE_CASE_ERASED = "use_case.erased"
    NEWS_CREATED = "news.created"
    NEWS_CHANGED = "news.changed"
    NEWS_PUBLISHED = "news.published"
    NEWS_UNPUBLISHED = "news.unpublished"
    REGISTRATION_MADE = "registration.made"
    REGISTRATION_MOVED_UP = "registration.moved_up"
    REGISTRATION_CANCELLED = "registration.cancelled"
    REGISTRATION_ERASED = "registration.erased"
    REQUEST_RECEIVED = "request.received"
    REQUEST_HELD = "request.held"
    REQUEST_ACCEPTED = "request.accepted"
    REQUEST_SCHEDULED = "request.scheduled"
    REQUEST_PROCESSING = "request.processing"
    REQUEST_COMPLETED = "request.completed"
    REQUEST_REJECTED = "request.rejected"
    REQUEST_FAILED = "request.failed"
    REQUEST_EXPIRED = "request.expired"
    REQUEST_CANCELLED = "request.cancelled"
    REQUEST_USER_CANCELLED = "request.user_cancelled"
    REQUEST_ERASED = "request.erased"
    WATCH_STARTED = "watch.started"
    WATCH_STOPPED = "watch.stopped"
    WATCH_ERASED = "watch.erased"
    MAIL_CHANGED = "mail_text.changed"
    MAIL_RESET = "mail_text.reset"
    REPORT_CREATED = "report.created"
    REPORT_MADE = "report.made"
    BATCH_STARTED = "batch.started"
    JOURNAL_PRUNED = "journal.pruned"
    DELIVERY_DONE = "delivery.done"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_RETRIED = "delivery.retried"
    DELIVERY_CONFIRMED = "delivery.confirmed"
    DELIVERY_REFUSED = "delivery.refused"
    SENDING_MADE = "sending.made"
    SENDING_OPENED = "sending.opened"
    HARVEST_FINISHED = "harvest.finished"


#: Columns that the hash covers, in this order.
COVERED = ("id", "at", "actor", "event", "object_type", "object_id", "organization_id", "data")


#: Key of a line's ``data`` that holds the digest of its private texts.
PRIVATE = "private"


def stamp(value: dt.datetime) -> str:
    """A line's time as the hash covers it: RFC 3339, UTC, microseconds."""
    return value.astimezone(dt.timezone.utc).isoformat(timespec="microseconds")


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(line: Mapping[str, Any], previous_hash: str) -> str:
    """SHA-256 (hex) of a line and of the hash before it.

    :param line: the :data:`COVERED` keys; ``at`` as RFC 3339 text in UTC with microseconds
    """
    canonical = _canonical([line[key] for key in COVERED])
    return hashlib.sha256(f"{previous_hash}\n{canonical}".encode()).hexdigest()


def private_digest(salt: str, data: Any) -> str:
    """SHA-256 (hex) of texts kept beside a line: the chain covers this in their place, so that they can be erased.

    :param salt: random; it goes with the texts, so that a short one cannot be guessed from what stays
    :param data: the texts by name, as stored
    """
    return hashlib.sha256(f"{salt}\n{_canonical(data)}".encode()).hexdigest()


def private_digest_of(data: Any) -> str | None:
    """The digest of private texts that a line's ``data`` holds, if any."""
    # Whoever may write to the database may put a list there: that must be told as broken, not end the walk.
    return data.get(PRIVATE) if isinstance(data, Mapping) else None


def _private_fits(line: Mapping[str, Any]) -> bool:
    salt = line.get("private_salt")
    # No salt: there never was a text, or it was erased, which the chain allows.
    return salt is None or private_digest_of(line["data"]) == private_digest(salt, line["private_data"])


@dataclass(frozen=True)
class Verdict:
    """What a walk of the chain found.

    ``first_broken`` is the id of the first line that does not fit, or whose private texts do not.
    """

    valid: bool
    lines: int
    head: str
    first_broken: int | None = None


def verify(lines: Iterable[Mapping[str, Any]], after: tuple[int, str] = (0, GENESIS)) -> Verdict:
    """Walk lines in the order of their ids; numbers without a gap, each hash over the one before.

    :param lines: mappings with the :data:`COVERED` keys, ``previous_hash`` and ``hash``; where private texts
        still exist also ``private_salt`` and ``private_data``, which must then fit the digest in ``data``
    :param after: number and hash of the last line before them, where the older ones were pruned
    """
    number, previous = after
    count = 0
    for line in lines:
        fits = line["id"] == number + count + 1 and line["previous_hash"] == previous
        if not fits or line["hash"] != digest(line, previous) or not _private_fits(line):
            return Verdict(False, count, previous, line["id"])
        previous, count = line["hash"], count + 1
    return Verdict(True, count, previous)
