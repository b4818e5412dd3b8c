"""What helps to decide: same domain, look-alikes, public mailboxes, earlier refusals. No CKAN."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.accounts.rules import clean_email
from ckanext.dinamis_relais.accounts.signals import (
    BAD,
    GOOD,
    LEVELS,
    LOOK,
    Facts,
    domain_of,
    lookalike,
    readable,
    signals,
    skeleton,
)

KNOWN = frozenset({"begles.example"})


def kinds(**facts):
    return [one.kind for one in signals(Facts(**facts))]


@pytest.mark.parametrize(
    "typed",
    [
        "a@beg1es.example",  # one for l
        "a@begIes.example",  # capital i for l
        "a@be-gles.example",
        "a@bègles.example",  # accent
        "a@bеgles.example",  # Cyrillic e
        "a@beɡles.example",  # script g
    ],
)
def test_domains_that_look_alike_are_flagged(typed):
    address = clean_email(typed)
    assert address.isascii()
    assert lookalike(domain_of(address), KNOWN) == "begles.example"
    assert kinds(email=address, known_domains=KNOWN)[0] == "lookalike_domain"


@pytest.mark.parametrize(("domain", "known"), [("rnairie.fr", "mairie.fr"), ("vvimereux.fr", "wimereux.fr")])
def test_pairs_of_letters_that_look_like_one(domain, known):
    assert lookalike(domain, {known}) == known


def test_the_domain_itself_imitates_nothing():
    assert lookalike("begles.example", KNOWN) is None
    assert lookalike("bordeaux.example", KNOWN) is None
    # Two real domains that happen to look alike: each is known, none is flagged.
    assert lookalike("mail.example", {"mail.example", "mall.example"}) is None


def test_a_public_mailbox_is_imitated_too():
    assert kinds(email="a@gmaiI.com".lower(), public_mailboxes=frozenset({"gmail.com"})) == ["lookalike_domain"]


def test_what_speaks_for_and_against():
    assert kinds(email="a@begles.example", known_domains=KNOWN) == ["same_domain"]
    assert kinds(email="a@ailleurs.example", known_domains=KNOWN) == ["other_domain"]
    assert kinds(email="a@gmail.com", known_domains=KNOWN, public_mailboxes=frozenset({"gmail.com"})) == [
        "public_mailbox"
    ]
    assert kinds(email="a@ailleurs.example") == []
    assert kinds(email="a@x.example", member=False, refusals=2, login="a", elsewhere=("Pau",), namesake=True) == [
        "membership_not_active", "earlier_refusals", "login_exists", "other_accounts", "same_name",
    ]  # fmt: skip
    assert kinds(email="a@x.example", asked_by_person=True) == ["unverified"]
    assert kinds(email="a@x.example", asked_by_person=True, verified=True) == ["verified"]


def test_letters_that_are_no_plain_ones_are_told():
    found = signals(Facts(clean_email("a@日本.example"), known_domains=KNOWN))
    assert "foreign_letters" in [one.kind for one in found]
    assert found[0].values["domain"] == "日本.example"


def test_the_gravest_first():
    found = [one.level for one in signals(Facts("a@begles.example", KNOWN, refusals=1, namesake=True))]
    assert found == [BAD, LOOK, GOOD]
    assert set(LEVELS.values()) == {BAD, LOOK, GOOD}


@given(st.from_regex(r"[a-z0-9-]{1,20}\.[a-z]{2,5}", fullmatch=True))
def test_a_skeleton_is_stable_and_never_breaks(domain):
    assert skeleton(domain) == skeleton(domain.upper().lower())
    assert lookalike(domain, {domain}) is None
    assert readable(domain)


@given(st.text(max_size=40))
def test_any_text_has_a_skeleton(text):
    skeleton(text)
