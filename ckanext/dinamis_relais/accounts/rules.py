"""Rules of accounts: the state machine and what is true of names and addresses. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

_MODERATE = "account.moderate"

MACHINE = Machine(
    "account",
    "requested",
    (
        Transition("requested", "validate", "validated", _MODERATE, "active_membership",
                   "account_invitation", None, Event.ACCOUNT_VALIDATED.value),
        Transition("requested", "refuse", "refused", _MODERATE, None,
                   "account_refused", None, Event.ACCOUNT_REFUSED.value, reason=True),
        Transition("validated", "activate", "active", _MODERATE, "active_membership",
                   "account_active", None, Event.ACCOUNT_ACTIVATED.value),
        Transition("validated", "suspend", "suspended", _MODERATE, None,
                   "account_suspended", None, Event.ACCOUNT_SUSPENDED.value, reason=True),
        Transition("active", "suspend", "suspended", _MODERATE, None,
                   "account_suspended", None, Event.ACCOUNT_SUSPENDED.value, reason=True),
        # Back through DINAMIS: it was told of the suspension and confirms the return.
        Transition("suspended", "resume", "validated", _MODERATE, "active_membership",
                   "account_resumed", None, Event.ACCOUNT_RESUMED.value),
        *(
            Transition(state, "close", "closed", _MODERATE, None,
                       "account_closed", None, Event.ACCOUNT_CLOSED.value, reason=True)
            for state in ("validated", "active", "suspended", "expired")
        ),
        *(
            Transition(state, "expire", "expired", _MODERATE, "end_date_passed",
                       "account_expired", None, Event.ACCOUNT_EXPIRED.value)
            for state in ("validated", "active", "suspended")
        ),
    ),
)  # fmt: skip

#: States in which the account holds its organisation's place: one such account a person.
LIVE = ("requested", "validated", "active", "suspended")
#: States in which the person may use what a member may use.
OPEN = ("validated", "active")
ROLES = ("member", "referent")


def clean_email(value: str) -> str:
    """An address as it is compared: without blanks around, in lower case.

    :raises ValueError: cannot be an address
    """
    address = value.strip().lower()
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]{2,}", address) or len(address) > 254:
        raise ValueError("address")
    return address


def user_names(given_name: str, family_name: str) -> Iterator[str]:
    """Candidates for a CKAN user name, from the plainest on; never ends.

    CKAN wants 2 to 100 characters of ``a-z0-9_-`` (its ``name_validator``).
    """
    text = unicodedata.normalize("NFKD", f"{given_name} {family_name}").encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:80]
    if len(base) < 2:
        base = "personne"
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1
