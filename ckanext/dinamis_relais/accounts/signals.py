"""What helps a moderator to decide on a request: pure, from facts that the list reads in a few queries."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from confusable_homoglyphs import confusables

#: Signals by how they are shown: something that speaks for, something to look at, something that is likely wrong.
GOOD, LOOK, BAD = "good", "look", "bad"

LEVELS: dict[str, str] = {
    "membership_not_active": BAD,
    "lookalike_domain": BAD,
    "foreign_letters": BAD,
    "earlier_refusals": BAD,
    "login_exists": LOOK,
    "public_mailbox": LOOK,
    "other_domain": LOOK,
    "other_accounts": LOOK,
    "same_name": LOOK,
    "unverified": LOOK,
    "same_domain": GOOD,
    "verified": GOOD,
}


@dataclass(frozen=True)
class Signal:
    """One thing to know; ``values`` are put into its sentence (``portal.labels.signals``)."""

    kind: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> str:
        """``good``, ``look`` or ``bad``."""
        return LEVELS[self.kind]


@dataclass(frozen=True)
class Facts:
    """What is known about a request, as plain values.

    :ivar email: the person's address, as it is kept
    :ivar known_domains: domains of the organisation's representative, referent and open accounts
    :ivar public_mailboxes: domains that give an address to anybody
    :ivar member: whether the organisation's membership is active
    :ivar verified: whether a link mailed to the address was opened
    :ivar asked_by_person: whether the person asked for the account
    :ivar login: name of a CKAN user that has the address already
    :ivar elsewhere: titles of the other organisations where the address has an account that runs
    :ivar refusals: earlier refusals of this address
    :ivar namesake: whether another account of the organisation bears the same name
    """

    email: str
    known_domains: frozenset[str] = frozenset()
    public_mailboxes: frozenset[str] = frozenset()
    member: bool = True
    verified: bool = False
    asked_by_person: bool = False
    login: str | None = None
    elsewhere: tuple[str, ...] = ()
    refusals: int = 0
    namesake: bool = False


def domain_of(email: str) -> str:
    """What follows the ``@``."""
    return email.rpartition("@")[2]


@lru_cache(maxsize=4096)
def readable(domain: str) -> str:
    """A domain as people would see it: A-labels (``xn--…``, RFC 5890) decoded."""
    labels = []
    for label in domain.split("."):
        try:
            labels.append(label.encode("ascii").decode("idna") if label.startswith("xn--") else label)
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


def _plain(character: str) -> str:
    """The ASCII letter that a character looks like, or the character itself (Unicode's table of confusables)."""
    if character.isascii():
        return character
    bare = unicodedata.normalize("NFKD", character)[0]
    if bare.isascii():
        return bare
    for found in confusables.is_confusable(character, greedy=True) or ():
        for twin in found["homoglyphs"]:
            if twin["c"].isascii():
                return twin["c"].lower()
    return character


#: Pairs that look alike in most fonts, beyond Unicode's single characters.
_ALIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))


@lru_cache(maxsize=4096)
def skeleton(domain: str) -> str:
    """A form in which domains that look alike are equal."""
    text = "".join(_plain(c) for c in readable(domain)).lower().replace("-", "")
    for seen, meant in _ALIKE:
        text = text.replace(seen, meant)
    return text


def lookalike(domain: str, known: Iterable[str]) -> str | None:
    """The known domain that this one imitates, None when it is itself known or imitates none."""
    known = set(known)
    if domain in known:
        return None
    shape = skeleton(domain)
    return next((other for other in sorted(known) if skeleton(other) == shape), None)


def _about_address(facts: Facts) -> list[Signal]:
    domain = domain_of(facts.email)
    shown = readable(domain)
    twin = lookalike(domain, facts.known_domains | facts.public_mailboxes)
    if twin:
        return [Signal("lookalike_domain", {"domain": shown, "known": readable(twin)})]
    found = [] if shown.isascii() else [Signal("foreign_letters", {"domain": shown})]
    if domain in facts.public_mailboxes:
        found.append(Signal("public_mailbox", {"domain": shown}))
    elif domain in facts.known_domains:
        found.append(Signal("same_domain", {"domain": shown}))
    elif facts.known_domains:
        known = ", ".join(readable(other) for other in sorted(facts.known_domains - facts.public_mailboxes)[:3])
        found.append(Signal("other_domain", {"domain": shown, "known": known or "-"}))
    return found


def signals(facts: Facts) -> list[Signal]:
    """All that is to be known, the gravest first."""
    found = _about_address(facts)
    if not facts.member:
        found.append(Signal("membership_not_active"))
    if facts.refusals:
        found.append(Signal("earlier_refusals", {"number": facts.refusals}))
    if facts.login:
        found.append(Signal("login_exists", {"login": facts.login}))
    if facts.elsewhere:
        found.append(Signal("other_accounts", {"organizations": ", ".join(facts.elsewhere)}))
    if facts.namesake:
        found.append(Signal("same_name"))
    if facts.asked_by_person:
        found.append(Signal("verified" if facts.verified else "unverified"))
    order = (BAD, LOOK, GOOD)
    return sorted(found, key=lambda signal: order.index(signal.level))
