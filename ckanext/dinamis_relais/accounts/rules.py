"""Rules of accounts: the state machine and what is true of names and addresses. Pure."""

from __future__ import annotations

import datetime as dt
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
#: States in which nothing more happens: the person's details are erased some time after.
OVER = ("refused", "closed", "expired")
ROLES = ("member", "referent")
#: Who entered an account: PIGMA, the organisation's referent, the person, a file that PIGMA imported.
ORIGINS = ("pigma", "referent", "person", "import")

#: Longest texts that are taken, in characters: a CKAN user name is made of the names, a mail quotes the reason.
LONGEST = {"given_name": 60, "family_name": 60, "function": 200, "purpose": 2000, "reason": 2000}

# No looser than CKAN's own ``email_validator``: an address that is taken here must still be taken when, perhaps
# days later, the CKAN user is made.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"(?!\.)(?!.*\.\.)[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+(?<!\.)@(?:{_LABEL}\.)+{_LABEL}(?<![@.].)")


def clean_email(value: str) -> str:
    """An address as it is compared: without blanks around, in lower case, its domain in A-labels (RFC 5890).

    What follows a plus sign stays: it is the person's choice, and another address than the one without.

    :raises ValueError: cannot be an address
    """
    local, at, domain = value.strip().lower().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("address") from error
    address = f"{local}{at}{domain}"
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise ValueError("address")
    return address


def parse_date(value: str) -> dt.date:
    """A date as forms and tables write it: ``2026-12-31`` or ``31/12/2026``.

    :raises ValueError: neither
    """
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(value.strip(), pattern).date()  # a day, no time of day
        except ValueError:
            continue
    raise ValueError("date")


def clean_text(value: str, *, lines: bool = False) -> str:
    """A text without control characters and needless blanks; names go into the headers of mails.

    :param lines: True when line ends stay
    """
    kept = "".join(c if c.isprintable() or (lines and c == "\n") else " " for c in value.replace("\r\n", "\n"))
    return re.sub(r"[^\S\n]+", " ", kept).strip()


def outranks_member(capacity: str) -> bool:
    """Whether a place in a CKAN organisation gives more than ours does: it was given for the catalogue, not by us.

    :param capacity: CKAN's capacity (``member``, ``editor``, ``admin`` or one that a site adds)
    """
    return capacity != "member"


#: Names that CKAN keeps for its own addresses.
_RESERVED = ("new", "edit", "search")


def user_names(given_name: str, family_name: str) -> Iterator[str]:
    """Candidates for a CKAN user name, from the plainest on; never ends.

    CKAN wants 2 to 100 characters of ``a-z0-9_-`` (its ``name_validator``).
    """
    text = unicodedata.normalize("NFKD", f"{given_name} {family_name}").encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:80]
    if len(base) < 2 or base in _RESERVED:
        base = "personne"
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def shortest_password(value: str) -> bool:
    """Whether a password is long enough: CKAN's own rule, 8 characters."""
    return len(value) >= 8
