"""Days that pass: pure rules."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.membership import terms_rules as rules

DAY = dt.date(2026, 1, 31)
DAYS = st.lists(st.integers(1, 400), max_size=5)


@given(days=DAYS, passed=st.integers(-10, 500))
def test_the_latest_missed_reminder_and_none_before_its_day(days, passed):
    due = rules.due_after(days, passed)
    assert due is None or due <= passed
    assert all(day <= (due or 0) or day > passed for day in days)


@given(days=DAYS, left=st.integers(-500, 500))
def test_the_most_urgent_warning_and_none_before_its_day(days, left):
    due = rules.due_before(days, left)
    assert due is None or due >= left
    assert due is None or all(day >= due or day < left for day in days)
    assert not days or left > min(days) or due == min(days)


@pytest.mark.parametrize(("kind", "months", "present", "runs", "expected"), [
    ("first", 0, None, False, None),
    ("first", 12, None, False, dt.date(2027, 1, 30)),
    ("renewal", 12, dt.date(2026, 3, 31), True, dt.date(2027, 3, 31)),
    ("renewal", 1, dt.date(2026, 1, 30), True, dt.date(2026, 2, 27)),
    ("renewal", 0, dt.date(2026, 3, 31), True, None),
    ("change", 12, dt.date(2026, 3, 31), True, dt.date(2026, 3, 31)),
    ("reacceptance", 12, None, True, None),
    ("reacceptance", 12, dt.date(2025, 3, 31), False, dt.date(2027, 1, 30)),
])  # fmt: skip
def test_last_day(kind, months, present, runs, expected):
    assert rules.last_day(kind, months, DAY, present, runs) == expected


def test_a_month_that_is_too_short_gives_its_last_day():
    assert rules.add_months(DAY, 1) == dt.date(2026, 2, 28)
    assert rules.add_months(dt.date(2027, 11, 30), 3) == dt.date(2028, 2, 29)


def test_nothing_ends_without_a_warning_that_had_its_days():
    before, after = DAY - dt.timedelta(days=8), DAY + dt.timedelta(days=1)
    assert not rules.may_end(DAY, DAY, [7], before)
    assert rules.may_end(DAY, after, [7, 30], before)
    assert not rules.may_end(DAY, after, [7, 30], None)
    assert not rules.may_end(DAY, after, [7, 30], DAY)
    assert rules.may_end(DAY, after, [], None)


def test_outdated():
    current = {"charter": "2", "licences": "1"}
    assert rules.outdated({"charter": "2", "licences": "1", "other": "9"}, current) == []
    assert rules.outdated({"charter": "1", "licences": "1"}, current) == ["charter"]
    assert rules.outdated(None, current) == ["charter", "licences"]
