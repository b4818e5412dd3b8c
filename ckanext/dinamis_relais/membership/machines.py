"""The two state machines of membership: the file that is worked on, and the right it gives.

Whoever adds a state or a transition adds a row here; pages, tests and ``docs/lifecycle.md`` follow.
"""

from __future__ import annotations

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

_DECIDE = "application.decide"
_REVIEW = "application.review"
_PREPARE = "application.prepare"

_WITHDRAWABLE = (
    "draft", "awaiting_signature", "signed", "under_review", "submitted", "deferred", "changes_requested",
)  # fmt: skip

APPLICATION = Machine(
    "application",
    "draft",
    (
        Transition("draft", "request_signature", "awaiting_signature", _PREPARE, "complete",
                   "signature_requested", "amendment", Event.APPLICATION_SIGNATURE_REQUESTED.value),
        Transition("awaiting_signature", "resend_signature", "awaiting_signature", _PREPARE, "complete",
                   "signature_requested", None, Event.APPLICATION_SIGNATURE_REQUESTED.value),
        Transition("awaiting_signature", "sign", "signed", "application.sign", "all_accepted",
                   "application_signed", "signed_amendment", Event.APPLICATION_SIGNED.value),
        Transition("awaiting_signature", "delegate_signature", "awaiting_signature", "application.sign", None,
                   "signature_delegated", None, Event.APPLICATION_SIGNATURE_DELEGATED.value),
        Transition("awaiting_signature", "revoke_signature", "draft", _REVIEW, None,
                   "signature_revoked", None, Event.APPLICATION_SIGNATURE_REVOKED.value),
        Transition("awaiting_signature", "record_signature", "signed", _REVIEW, "paper",
                   "application_signed", "signed_paper", Event.APPLICATION_SIGNED_ON_PAPER.value),
        Transition("signed", "start_review", "under_review", _REVIEW, None,
                   None, None, Event.APPLICATION_REVIEW_STARTED.value),
        Transition("under_review", "confirm_eligibility", "submitted", _REVIEW, "entity_checked",
                   "application_submitted", None, Event.APPLICATION_ELIGIBILITY_CONFIRMED.value),
        Transition("under_review", "decline_eligibility", "ineligible", _REVIEW, None,
                   "application_ineligible", None, Event.APPLICATION_INELIGIBLE.value, reason=True),
        Transition("submitted", "accept", "accepted", _DECIDE, "entity_checked",
                   "application_accepted", "membership_deed", Event.APPLICATION_ACCEPTED.value),
        Transition("submitted", "refuse", "refused", _DECIDE, None,
                   "application_refused", None, Event.APPLICATION_REFUSED.value, reason=True),
        Transition("submitted", "defer", "deferred", _DECIDE, None,
                   "application_deferred", None, Event.APPLICATION_DEFERRED.value, reason=True),
        Transition("deferred", "resubmit", "submitted", _REVIEW, "entity_checked",
                   "application_submitted", None, Event.APPLICATION_RESUBMITTED.value),
        # Eligibility and the board's decision stand: the signature of the new texts is all that was asked for.
        Transition("signed", "register_acceptance", "accepted", "application.register", "reacceptance",
                   "reacceptance_registered", None, Event.APPLICATION_ACCEPTANCE_REGISTERED.value),
        *(
            Transition(state, "ask_changes", "changes_requested", verb, None,
                       "application_changes", None, Event.APPLICATION_CHANGES_REQUESTED.value, reason=True)
            for state, verb in (("signed", _REVIEW), ("under_review", _REVIEW), ("submitted", _DECIDE))
        ),
        Transition("changes_requested", "resubmit", "@returns_to", _PREPARE, "complete",
                   None, None, Event.APPLICATION_RESUBMITTED.value),
        *(
            Transition(state, "withdraw", "withdrawn", _PREPARE, None,
                       "application_withdrawn", None, Event.APPLICATION_WITHDRAWN.value)
            for state in _WITHDRAWABLE
        ),
        *(
            Transition(state, "reopen", "draft", _REVIEW, None,
                       None, None, Event.APPLICATION_REOPENED.value)
            for state in ("ineligible", "refused", "withdrawn")
        ),
    ),
)  # fmt: skip

#: An accepted application makes the membership ``active`` (again); that is no transition a person asks for, no more
#: than ``term_over`` and ``lapse`` (a new version of the texts not accepted in time), which the daily command does.
MEMBERSHIP = Machine(
    "membership",
    "active",
    (
        Transition("active", "suspend", "suspended", "membership.manage", None,
                   "membership_suspended", None, Event.MEMBERSHIP_SUSPENDED.value, reason=True),
        Transition("suspended", "resume", "active", "membership.manage", None,
                   "membership_resumed", None, Event.MEMBERSHIP_RESUMED.value),
        Transition("active", "end", "ended", "membership.manage", None,
                   "membership_ended", None, Event.MEMBERSHIP_ENDED.value, reason=True),
        Transition("suspended", "end", "ended", "membership.manage", None,
                   "membership_ended", None, Event.MEMBERSHIP_ENDED.value, reason=True),
        *(
            Transition(state, name, "ended", "membership.lapse", name, mail, None, event.value)
            for state in ("active", "suspended")
            for name, mail, event in (
                ("term_over", "membership_term_over", Event.MEMBERSHIP_TERM_OVER),
                ("lapse", "membership_lapsed", Event.MEMBERSHIP_LAPSED),
            )
        ),
    ),
)  # fmt: skip

#: What the executive board decides, by whichever way.
BOARD_TRANSITIONS = ("accept", "defer", "ask_changes", "refuse")

#: States in which a file is still worked on: an organisation has at most one such file of each kind.
OPEN_STATES = frozenset(_WITHDRAWABLE)
#: States in which what the form holds may still be changed.
EDITABLE_STATES = frozenset({"draft", "changes_requested"})

#: The procedure in the words of its steps, for the stepper: name → states in which the file stands there.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("amendment", ("draft", "awaiting_signature")),
    ("eligibility", ("signed", "under_review", "ineligible")),
    ("board", ("submitted", "deferred", "refused")),
    ("member", ("accepted",)),
)
