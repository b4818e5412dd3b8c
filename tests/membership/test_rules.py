"""Rules of membership, without CKAN."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from ckanext.dinamis_relais.machine import TransitionError
from ckanext.dinamis_relais.membership import rules
from ckanext.dinamis_relais.membership.machines import APPLICATION, MEMBERSHIP, STEPS


@pytest.mark.parametrize("written", ["213300395", "213 300 395", "213.300.395", " 213\u00a0300\u202f395 "])
def test_a_siren_is_taken_as_people_write_it(written):
    assert rules.clean_siren(written) == "213300395"


@pytest.mark.parametrize(
    "written, problem",
    [
        ("213300396", "checksum"),
        ("21330039", "length"),
        ("2133003955", "length"),
        ("", "length"),
        ("abcdefghi", "length"),
    ],
)
def test_a_wrong_siren_says_what_is_wrong(written, problem):
    with pytest.raises(ValueError, match=problem):
        rules.clean_siren(written)


@given(st.integers(0, 10**8 - 1))
def test_any_number_with_its_check_digit_is_a_siren_and_no_other_digit_is(number):
    body = f"{number:08d}"
    digit = luhn.calc_check_digit(body)
    assert rules.clean_siren(body + digit) == body + digit
    with pytest.raises(ValueError, match="checksum"):
        rules.clean_siren(body + str((int(digit) + 1) % 10))


def test_la_poste_has_its_own_rule():
    # An establishment of La Poste: fails Luhn, its digits sum to a multiple of five.
    assert rules.clean_siret("35600000049837") == "35600000049837"
    with pytest.raises(ValueError, match="checksum"):
        rules.clean_siret("35600000049838")


@pytest.mark.parametrize(
    "category, level",
    [("7113", "presumed"), ("7210", "presumed"), ("7346", "presumed"), ("7410", "presumed"), ("4110", "presumed"),
     ("9220", "to_justify"), ("5710", "contractor_only"), ("1000", "contractor_only"), ("6540", "unknown"),
     ("", "unknown")],
)  # fmt: skip
def test_a_legal_category_gives_a_presumption(category, level):
    assert rules.presumption(category).level == level


def test_what_is_missing_is_named():
    assert "representative.email" in rules.missing({"siren": "213300395"})
    whole = {
        "siren": "213300395", "category": "local_authority", "territory_code": "33039",
        "representative": {"given_name": "A", "family_name": "B", "function": "Maire", "email": "a@b.fr"},
    }  # fmt: skip
    assert rules.missing(whole) == []
    assert rules.missing({**whole, "category": "contractor"}) == ["justification"]


def test_numbers_of_conventions():
    assert rules.next_number("P-{year}-{number:04d}", 2026, 7) == "P-2026-0007"
    for wrong in ("P-{year}", "P-{nummer}", "P-{number"):
        with pytest.raises(ValueError, match="agreement_number_pattern"):
            rules.next_number(wrong, 2026, 7)


def test_every_state_stands_somewhere_in_the_stepper():
    stepped = {state for _name, states in STEPS for state in states}
    assert set(APPLICATION.states) - stepped == {"changes_requested", "withdrawn"}
    for state in APPLICATION.states:
        assert len(rules.steps(state, "signed")) == len(STEPS)


@pytest.mark.parametrize("machine", [APPLICATION, MEMBERSHIP], ids=lambda m: m.name)
def test_a_wrong_transition_names_the_state_and_what_is_allowed(machine):
    for state in machine.states:
        allowed = {row.name for row in machine.allowed(state)}
        for name in set(machine.transitions) - allowed:
            with pytest.raises(TransitionError) as raised:
                machine.row(state, name)
            assert state in str(raised.value)
            assert all(choice in str(raised.value) for choice in allowed)


def test_every_no_has_a_reason_and_a_mail():
    for machine in (APPLICATION, MEMBERSHIP):
        for row in machine:
            if row.name in ("refuse", "decline_eligibility", "defer", "ask_changes", "suspend", "end"):
                assert row.reason
                assert row.mail


def test_only_the_board_decides():
    for row in APPLICATION:
        if row.name in ("accept", "refuse", "defer"):
            assert row.verb == "application.decide"


@pytest.mark.parametrize(
    "official, written",
    [
        ("COMMUNE DE BEGLES", "Commune de Begles"),
        ("COMMUNE DE ARCACHON", "Commune d'Arcachon"),
        ("COMMUNE D'ANGOULÊME", "Commune d'Angoulême"),
        ("CC DU PAYS DE SAINT-JUNIEN", "Cc du Pays de Saint-Junien"),
        ("Université exemple", "Université exemple"),
    ],
)
def test_an_official_name_is_written_as_people_write_it(official, written):
    assert rules.entity_title(official) == written
