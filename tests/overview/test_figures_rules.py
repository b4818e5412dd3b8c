"""Periods, running sums, and what few persons hide; without CKAN."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.overview import rules

TODAY = dt.date(2026, 2, 10)


def span(name):
    found = rules.period(name, TODAY)
    return found.start.isoformat()[:7], found.last.isoformat()[:7], len(found.months)


def test_periods():
    assert span("12m") == ("2025-03", "2026-02", 12)
    assert span("1m") == ("2026-02", "2026-02", 1)
    assert span("2025") == ("2025-01", "2025-12", 12)
    assert span("2026") == ("2026-01", "2026-02", 2)
    assert span("2025-11") == ("2025-11", "2025-11", 1)
    assert span("2024/2025") == ("2024-01", "2025-12", 24)
    assert span("2025-11/2030") == ("2025-11", "2026-02", 4)


@pytest.mark.parametrize(
    "name", ["", "m", "0m", "x", "2025-13", "2025-00", "2025-05/2025-04", "2027", "0000", "0001/2026", "2025/", "12m "]
)
def test_what_is_no_period(name):
    with pytest.raises(ValueError, match=r".*"):
        rules.period(name, TODAY)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 500))
def test_the_last_months_are_so_many_and_end_with_this_one(today, number):
    found = rules.period(f"{number}m", today)
    assert len(found.months) == number
    assert found.months[-1] == today.replace(day=1) == found.last
    assert found.start <= today < found.end


CELLS = st.dictionaries(st.integers(0, 20), st.integers(0, 30), max_size=12)


@given(CELLS)
def test_nothing_can_be_worked_out_about_fewer_than_five_persons_of_one_state(counts):
    few = rules.hidden({key: (value, value) for key, value in counts.items()}, apart=True)
    shown = {key: value for key, value in counts.items() if key not in few}
    assert all(value == 0 or value >= rules.FEWEST for value in shown.values())
    # The total less what is shown is a figure too.
    rest = sum(counts[key] for key in few)
    assert rest == 0 or rest >= rules.FEWEST or not any(shown.values())


@given(st.dictionaries(st.integers(0, 20), st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=12))
def test_the_same_of_months_in_which_a_person_may_come_twice(cells):
    few = rules.hidden(cells, apart=False)
    shown = {key: cells[key] for key in cells if key not in few}
    assert all(value == 0 or persons >= rules.FEWEST for value, persons in shown.values())
    rest = max((cells[key][1] for key in few), default=rules.FEWEST)
    assert rest >= rules.FEWEST or not any(value for value, _persons in shown.values())


def test_means():
    assert rules.mean_days(0, 0) is None
    assert rules.mean_days(3 * 86400, 2) == 1.5
