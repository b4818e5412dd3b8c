"""States, transitions, events and roles in words; one place, so that a page never shows a code."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

# What helps to decide has a file of its own; its tables are read here with the others.
from ckanext.dinamis_relais.portal.labels_deciding import (  # noqa: F401
    origins,
    refusal_reasons,
    request_reasons,
    sendings,
    signals,
)
from ckanext.dinamis_relais.portal.labels_desk import moderation_menu, queue_keys  # noqa: F401


def states() -> dict[str, dict[str, tuple[str, str]]]:
    """Kind of thing → state → (label, Bootstrap classes of its badge)."""
    grey, blue, amber = "text-bg-secondary", "text-bg-primary", "text-bg-warning"
    green, red = "text-bg-success", "text-bg-danger"
    _ = tk._
    return {
        "application": {
            "draft": (_("Draft"), grey),
            "awaiting_signature": (_("Signature awaited"), amber),
            "signed": (_("Signed, to examine"), blue),
            "under_review": (_("Being examined"), blue),
            "submitted": (_("At DINAMIS's executive board"), blue),
            "accepted": (_("Accepted"), green),
            "changes_requested": (_("Correction asked for"), amber),
            "ineligible": (_("Not eligible"), red),
            "refused": (_("Refused"), red),
            "deferred": (_("Details asked for"), amber),
            "withdrawn": (_("Withdrawn"), grey),
        },
        # A partner stands where its file stands, or where its membership does; or it has neither.
        "partner": {"none": (_("No file"), grey)},
        "membership": {
            "active": (_("Member"), green),
            "suspended": (_("Membership suspended"), amber),
            "ended": (_("Membership ended"), grey),
        },
        "account": {
            "requested": (_("To validate"), amber),
            "validated": (_("Validated, on its way to DINAMIS"), blue),
            "active": (_("Active"), green),
            "refused": (_("Refused"), red),
            "suspended": (_("Suspended"), amber),
            "closed": (_("Closed"), grey),
            "expired": (_("Expired"), grey),
        },
        "question": {
            "open": (_("PIGMA's turn"), amber),
            "escalated": (_("Asked to DINAMIS"), blue),
            "answered": (_("Answered"), green),
            "closed": (_("Closed"), grey),
        },
        "guide": {"draft": (_("Draft"), grey), "published": (_("Published"), green)},
        "use_case": {
            "draft": (_("Draft"), grey),
            "proposed": (_("Proposed to PIGMA"), amber),
            "sent_back": (_("To be completed"), amber),
            "published": (_("Published"), green),
            "discarded": (_("Thrown away"), grey),
        },
        "news": {"draft": (_("Draft"), grey), "published": (_("Published"), green)},
        "registration": {
            "registered": (_("Registered"), green),
            "waiting": (_("On the waiting list"), amber),
            "cancelled": (_("Cancelled"), grey),
        },
        "request": {
            "received": (_("Received by PIGMA"), amber),
            "held": (_("Examined by PIGMA"), amber),
            "accepted": (_("Sent to DINAMIS"), blue),
            "scheduled": (_("Scheduled"), blue),
            "processing": (_("Being made"), blue),
            "completed": (_("Answered by an image"), green),
            "rejected": (_("Not accepted"), red),
            "failed": (_("Could not be made"), red),
            "expired": (_("Period over"), grey),
            "cancelled": (_("Cancelled"), grey),
            "user_cancelled": (_("Withdrawn by the person"), grey),
        },
        "delivery": {
            "due": (_("On its way"), blue),
            "failed": (_("Failed"), red),
            "delivered": (_("Delivered"), green),
            "grouped": (_("Leaves with the next grouped mail"), blue),
            "awaiting": (_("Sent, DINAMIS's confirmation awaited"), amber),
        },
        "sending": {
            "waiting": (_("Confirmation awaited"), amber),
            "told": (_("Sent, nothing to confirm"), grey),
            "confirmed": (_("Confirmed by DINAMIS"), green),
            "refused": (_("Refused by DINAMIS"), red),
            "replaced": (_("Replaced by a newer mail"), grey),
        },
        "mail": {"due": (_("Waiting to leave"), blue), "failed": (_("Not sent"), red), "delivered": (_("Sent"), green)},
        "report": {"making": (_("Being made"), blue), "made": (_("Ready"), green), "failed": (_("Not possible"), red)},
        "batch": {
            "prepared": (_("To be confirmed"), amber),
            "running": (_("In progress"), blue),
            "finished": (_("Finished"), green),
            "cancelled": (_("Stopped"), grey),
        },
        "batch_row": {
            "waiting": (_("To do"), blue),
            "done": (_("Done"), green),
            "unchanged": (_("Nothing to do"), grey),
            "failed": (_("Not possible"), red),
            "invalid": (_("To correct"), red),
        },
    }


def transitions() -> dict[str, dict[str, str]]:
    """Kind of thing → transition → the words of its button."""
    _ = tk._
    return {
        "application": {
            "request_signature": _("Ask for the signature"),
            "resend_signature": _("Send a new link"),
            "sign": _("Sign"),
            "delegate_signature": _("Name the signatory"),
            "revoke_signature": _("Cancel the link and correct the file"),
            "record_signature": _("Record the paper signed by hand"),
            "start_review": _("Begin the examination"),
            "confirm_eligibility": _("Confirm eligibility and submit"),
            "decline_eligibility": _("Not eligible"),
            "accept": _("Accept"),
            "refuse": _("Refuse"),
            "defer": _("Ask for details"),
            "ask_changes": _("Ask for a correction"),
            "resubmit": _("Submit again"),
            "withdraw": _("Withdraw the file"),
            "reopen": _("Reopen"),
            "register_acceptance": _("Register the new acceptance"),
        },
        "membership": {
            "suspend": _("Suspend"),
            "resume": _("Resume"),
            "end": _("End the membership"),
            "term_over": _("Term over"),
            "lapse": _("New texts not accepted in time"),
        },
        "account": {
            "validate": _("Validate"),
            "refuse": _("Refuse"),
            "activate": _("Confirm as active"),
            "suspend": _("Suspend"),
            "resume": _("Resume"),
            "close": _("Close"),
            "expire": _("Expire"),
        },
        "question": {
            "write": _("Write a message"),
            "answer": _("Answer"),
            "escalate": _("Ask DINAMIS"),
            "close": _("Close"),
        },
        "guide": {"publish": _("Publish"), "unpublish": _("Take back as a draft")},
        "use_case": {
            "propose": _("Propose to PIGMA"),
            "withdraw": _("Take my proposal back"),
            "publish": _("Publish"),
            "send_back": _("Send back"),
            "unpublish": _("Take off the site"),
            "discard": _("Throw away"),
        },
        "news": {"publish": _("Publish"), "unpublish": _("Take back as a draft")},
        "request": {
            "hold": _("Examine"),
            "accept": _("Accept and send to DINAMIS"),
            "reject": _("Do not accept"),
            "answer": _("Answer from the archive"),
            "take": _("The archive's images are enough for me"),
            "withdraw": _("Withdraw my request"),
            "schedule": _("Scheduled by DINAMIS"),
            "process": _("Being made by DINAMIS"),
            "complete": _("Delivered"),
            "fail": _("Could not be made"),
            "expire": _("Period over"),
            "cancel": _("Cancelled by DINAMIS"),
        },
    }


def events() -> dict[str, str]:
    """Journal event → words."""
    _ = tk._
    return {
        "role.granted": _("Role granted"),
        "role.revoked": _("Role revoked"),
        "application.created": _("File opened"),
        "application.updated": _("Details changed"),
        "application.claimed": _("Follow-up of the file changed"),
        "application.signature_requested": _("Signature asked for"),
        "application.signed": _("Amendment signed"),
        "application.signature_delegated": _("Signature delegated to a named person"),
        "application.signature_revoked": _("Signature link cancelled"),
        "application.signed_on_paper": _("Amendment signed by hand"),
        "application.review_started": _("Examination begun"),
        "application.eligibility_confirmed": _("Eligibility confirmed"),
        "application.declared_ineligible": _("Declared not eligible"),
        "application.changes_requested": _("Correction asked for"),
        "application.resubmitted": _("Submitted again"),
        "application.accepted": _("Accepted"),
        "application.refused": _("Refused"),
        "application.deferred": _("Details asked for"),
        "application.withdrawn": _("Withdrawn"),
        "application.reopened": _("Reopened"),
        "dossier.kept": _("Dossier made for the executive board"),
        "dossier.sent_again": _("Dossier sent to the executive board again"),
        "dossier.link_revoked": _("Link of the executive board revoked"),
        "application.reminded": _("Reminder sent"),
        "application.acceptance_registered": _("New acceptance of the texts registered"),
        "note.written": _("PIGMA's note written on a file"),
        "note.deleted": _("PIGMA's note deleted"),
        "membership.activated": _("Membership active"),
        "membership.suspended": _("Membership suspended"),
        "membership.resumed": _("Membership resumed"),
        "membership.ended": _("Membership ended"),
        "membership.term_over": _("Membership ended: term over"),
        "membership.lapsed": _("Membership ended: new texts not accepted"),
        "convention.entered": _("Convention entered"),
        "convention.changed": _("Convention changed"),
        "document.created": _("Document made"),
        "account.requested": _("Account requested"),
        "account.validated": _("Account validated"),
        "account.activated": _("Account active"),
        "account.refused": _("Account refused"),
        "account.suspended": _("Account suspended"),
        "account.resumed": _("Account resumed"),
        "account.closed": _("Account closed"),
        "account.expired": _("Account expired"),
        "account.corrected": _("Details corrected"),
        "account.invited_again": _("Invitation sent again"),
        "account.joined": _("Account opened by the person"),
        "account.charter_accepted": _("Charter of use accepted"),
        "account.kept": _("Kept though dormant"),
        "account.handed_over": _("Handed over to another referent"),
        "account.erasure_requested": _("Erasure asked for"),
        "account.erased": _("Personal details erased"),
        "personal_data.exported": _("Personal data exported"),
        "identity.linked": _("DINAMIS login linked"),
        "identity.unlinked": _("DINAMIS login unlinked"),
        "identity.refused": _("DINAMIS login no longer accepted"),
        "licence.accepted": _("Licence accepted"),
        "images.signed": _("Images opened for download"),
        "question.asked": _("Question asked"),
        "question.written": _("Question: message added"),
        "question.answered": _("Question answered"),
        "question.escalated": _("Question asked to DINAMIS"),
        "question.reopened": _("Question reopened"),
        "question.closed": _("Question closed"),
        "question.erased": _("Question erased"),
        "guide.created": _("Guide written"),
        "guide.changed": _("Guide changed"),
        "guide.published": _("Guide published"),
        "guide.unpublished": _("Guide taken back"),
        "guide.restored": _("Guide: older version put back"),
        "use_case.created": _("Use case written"),
        "use_case.changed": _("Use case changed"),
        "use_case.proposed": _("Use case proposed"),
        "use_case.withdrawn": _("Use case taken back by who proposed it"),
        "use_case.sent_back": _("Use case sent back"),
        "use_case.published": _("Use case published"),
        "use_case.unpublished": _("Use case taken off the site"),
        "use_case.discarded": _("Use case thrown away"),
        "use_case.erased": _("Author of a use case erased"),
        "news.created": _("News or event written"),
        "news.changed": _("News or event changed"),
        "news.published": _("News or event published"),
        "news.unpublished": _("News or event taken back"),
        "registration.made": _("Registered for an event"),
        "registration.moved_up": _("Place given from the waiting list"),
        "registration.cancelled": _("Registration cancelled"),
        "registration.erased": _("Registrations erased"),
        "watch.started": _("Alert on new images asked for"),
        "watch.stopped": _("Alert on new images stopped"),
        "watch.erased": _("Alerts on new images erased"),
        "request.received": _("Image asked for"),
        "request.held": _("Request for an image examined"),
        "request.accepted": _("Request for an image sent to DINAMIS"),
        "request.scheduled": _("Image scheduled"),
        "request.processing": _("Image being made"),
        "request.completed": _("Request for an image answered"),
        "request.rejected": _("Request for an image not accepted"),
        "request.failed": _("Image could not be made"),
        "request.expired": _("Request for an image: period over"),
        "request.cancelled": _("Request for an image cancelled"),
        "request.user_cancelled": _("Request for an image withdrawn"),
        "request.erased": _("Request for an image erased"),
        "mail_text.changed": _("Text of a mail changed"),
        "mail_text.reset": _("Text of a mail: the shipped one put back"),
        "report.created": _("Report asked for"),
        "report.made": _("Report made"),
        "batch.started": _("Work in quantity begun"),
        "delivery.done": _("Delivered"),
        "delivery.failed": _("Delivery failed"),
        "journal.pruned": _("Old lines of the journal deleted by the rule of retention"),
        "delivery.retried": _("Delivery tried again by hand"),
        "delivery.confirmed": _("Confirmed by DINAMIS, recorded by hand"),
        "delivery.refused": _("Refused by DINAMIS, recorded by hand"),
        "sending.made": _("Grouped mail to DINAMIS"),
        "sending.opened": _("ZIP of a grouped mail, or its proof, downloaded"),
        "harvest.finished": _("Harvest finished"),
    }


def objects() -> dict[str, str]:
    """Kind of thing that the journal and the deliveries name → words."""
    _ = tk._
    return {
        "application": _("Membership file"),
        "membership": _("Membership"),
        "convention": _("Convention"),
        "account": _("Account"),
        "dossier": _("Dossier for the executive board"),
        "note": _("PIGMA's note on a file"),
        "question": _("Question"),
        "guide": _("Guide"),
        "use_case": _("Use case"),
        "news": _("News and events"),
        "registration": _("Registration"),
        "watch": _("Alert on new images"),
        "request": _("Request for an image"),
        "identity": _("DINAMIS login"),
        "licence": _("Licence"),
        "images": _("Downloads"),
        "document": _("Document"),
        "role": _("Role"),
        "mail": _("Message"),
        "mail_text": _("Text of a mail"),
        "batch": _("Work in quantity"),
        "report": _("Report"),
        "personal_data": _("Personal data"),
        "delivery": _("Deliveries"),
        "sending": _("Grouped mail to DINAMIS"),
        "harvest": _("Harvest"),
        "journal": _("Journal"),
    }


def roles() -> dict[str, str]:
    """Role → words."""
    _ = tk._
    return {
        "super_referent": _("Super-référent (PIGMA)"),
        "executive_board": _("DINAMIS's executive board"),
        "referent": _("Referent of an organisation"),
        "member": _("Member"),
    }


def actors() -> dict[str, Any]:
    """Actors of the journal that are no users → words."""
    return {
        "signatory": tk._("The legal representative"),
        "board_link": tk._("DINAMIS's executive board, by its link"),
        "dinamis": tk._("DINAMIS"),
        "person": tk._("The person"),
        "system": tk._("The platform"),
    }
