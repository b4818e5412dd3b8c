"""Counters against a count made independently in SQL, however the rounds are cut."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais.overview import rollup
from tests.membership.helpers import file_in

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


def rows():
    query = sa.text(
        "SELECT organization_id, grain, start, measure, dimension, value FROM dinamis_rollup ORDER BY 1, 2, 3, 4, 5"
    )
    return [tuple(row) for row in model.Session.execute(query)]


def test_counters_agree_with_the_journal_and_a_second_round_adds_nothing(people):
    file_in(people, "accepted")
    while rollup.refresh(chunk=3):
        pass
    kept = rows()
    assert rollup.refresh() == 0
    counted = {r[4]: int(r[5]) for r in kept if r[0] == "*" and r[1] == "m" and r[3] == "event"}
    told = dict(
        tuple(r) for r in model.Session.execute(sa.text("SELECT event, count(*) FROM dinamis_journal GROUP BY 1"))
    )
    assert counted == told
    assert [int(r[5]) for r in kept if r[0] == "*" and r[1] == "m" and r[4] == "membership:active"] == [1]
    rollup.rebuild()
    assert rows() == kept
