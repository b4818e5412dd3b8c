"""Rules of accounts: pure, no database."""

from __future__ import annotations

from itertools import islice

import pytest
from ckan.lib.navl.dictization_functions import Invalid
from ckan.logic.validators import email_validator, name_validator
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.accounts.rules import LIVE, MACHINE, OPEN, clean_email, clean_text, user_names


@pytest.mark.parametrize(
    "email", ["lou@begles..fr", "loué@begles.fr", "lou@-begles.fr", "l..l@begles.fr", "lou.@begles.fr", "lou@begles.f",
              "lou@begles.fr\x00", "lou@begles.fr\nBcc: x@y.fr", "@begles.fr", f"{'l' * 250}@begles.fr"],
)  # fmt: skip
def test_what_is_no_address(email):
    with pytest.raises(ValueError, match="address"):
        clean_email(email)


@given(st.from_regex(r"[a-zA-Z0-9.+_é-]{1,8}@[a-zA-Z0-9.-]{1,12}", fullmatch=True))
def test_an_address_that_is_taken_is_taken_by_ckan_too(email):
    """Else a request would be accepted that nobody can validate afterwards."""
    try:
        address = clean_email(email)
    except ValueError:
        return
    assert email_validator(address, {}) == address


@given(st.text(), st.text())
def test_every_person_has_a_user_name_that_ckan_takes(given_name, family_name):
    for name in islice(user_names(given_name, family_name), 3):
        try:
            assert name_validator(name, {}) == name
        except Invalid as error:
            raise AssertionError(name) from error


@given(st.text())
def test_a_name_never_breaks_a_mail_header(value):
    text = clean_text(value)
    assert text == text.strip()
    assert all(c.isprintable() for c in text)
    assert clean_text(text) == text


def test_accents_and_apostrophes_stay():
    assert clean_text("  Noël  d’Été ") == "Noël d’Été"
    assert clean_text("une\r\ndeux", lines=True) == "une\ndeux"


def test_every_state_can_be_left_or_is_an_end():
    ends = {state for state in MACHINE.states if not MACHINE.allowed(state)}
    assert ends == {"refused", "closed"}
    assert set(OPEN) < set(LIVE) < set(MACHINE.states)


def test_whoever_is_told_no_is_told_why():
    assert {row.name for row in MACHINE if row.reason} == {"refuse", "suspend", "close"}


def test_one_right_decides_on_all_transitions():
    """The queue makes a state's buttons once: were there two rights, rows of one state could differ."""
    assert {row.verb for row in MACHINE} == {"account.moderate"}
