"""States, transitions, events and roles in words; one place, so that a page never shows a code."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk


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
        "delivery": {
            "due": (_("On its way"), blue),
            "failed": (_("Failed"), red),
            "delivered": (_("Delivered"), green),
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
        },
        "membership": {"suspend": _("Suspend"), "resume": _("Resume"), "end": _("End the membership")},
        "account": {
            "validate": _("Validate"),
            "refuse": _("Refuse"),
            "activate": _("Confirm as active"),
            "suspend": _("Suspend"),
            "resume": _("Resume"),
            "close": _("Close"),
            "expire": _("Expire"),
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
        "application.claimed": _("File taken in charge"),
        "application.signature_requested": _("Signature asked for"),
        "application.signed": _("Amendment signed"),
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
        "membership.activated": _("Membership active"),
        "membership.suspended": _("Membership suspended"),
        "membership.resumed": _("Membership resumed"),
        "membership.ended": _("Membership ended"),
        "document.created": _("Document made"),
        "account.requested": _("Account requested"),
        "account.validated": _("Account validated"),
        "account.activated": _("Account active"),
        "account.refused": _("Account refused"),
        "account.suspended": _("Account suspended"),
        "account.resumed": _("Account resumed"),
        "account.closed": _("Account closed"),
        "account.expired": _("Account expired"),
        "delivery.done": _("Delivered"),
        "delivery.failed": _("Delivery failed"),
        "delivery.retried": _("Delivery tried again by hand"),
        "harvest.finished": _("Harvest finished"),
    }


def objects() -> dict[str, str]:
    """Kind of thing that the journal and the deliveries name → words."""
    _ = tk._
    return {
        "application": _("Membership file"),
        "membership": _("Membership"),
        "account": _("Account"),
        "document": _("Document"),
        "role": _("Role"),
        "mail": _("Message"),
        "delivery": _("Deliveries"),
        "harvest": _("Harvest"),
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
        "dinamis": tk._("DINAMIS"),
        "system": tk._("The platform"),
    }
