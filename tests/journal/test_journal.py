"""The journal: chained, append-only, whole under concurrent writers."""

from __future__ import annotations

import threading

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests.helpers import call_action
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.journal import Event, actions, as_mapping, record, settle
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.journal.rules import GENESIS, digest, verify
from tests.journalled import journalled


def chain(count):
    lines, previous = [], GENESIS
    for number in range(1, count + 1):
        line = {
            "id": number,
            "at": f"2026-01-01T00:00:{number % 60:02}.000000+00:00",
            "actor": "x",
            "event": "role.granted",
            "object_type": "role",
            "object_id": str(number),
            "organization_id": None,
            "data": {"é": number},
        }
        line |= {"previous_hash": previous, "hash": digest(line, previous)}
        previous = line["hash"]
        lines.append(line)
    return lines


def test_a_whole_chain_is_valid():
    found = verify(chain(5))
    assert (found.valid, found.lines, found.first_broken) == (True, 5, None)


@given(st.integers(2, 12), st.data())
def test_a_changed_removed_or_reordered_line_is_found(count, data):
    lines = chain(count)
    at = data.draw(st.integers(0, count - 2))
    changed = [dict(line) for line in lines]
    changed[at]["data"] = {"é": "autre"}
    assert verify(changed).first_broken == at + 1
    assert not verify(lines[:at] + lines[at + 1 :]).valid
    swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
    assert not verify(swapped).valid
    forged = [dict(line) for line in lines]
    forged[at]["data"] = {"é": "autre"}
    forged[at]["hash"] = digest(forged[at], forged[at]["previous_hash"])
    assert verify(forged).first_broken == at + 2


@pytest.mark.usefixtures("with_plugins", "relay_db")
class TestStored:
    def test_the_database_refuses_to_change_a_line(self):
        record(Event.ROLE_GRANTED, "system", "role", "1", data="x")
        model.Session.commit()
        settle()
        with pytest.raises(sa.exc.DatabaseError, match="append-only"):
            model.Session.execute(sa.update(JournalLine).values(actor="somebody else"))
        model.Session.rollback()

    def test_a_rolled_back_thing_leaves_no_line(self):
        record(Event.ROLE_GRANTED, "system", "role", "1")
        model.Session.rollback()
        assert journalled().count() == 0

    def test_eight_writers_at_once_make_one_chain(self):
        def write(number):
            for turn in range(10):
                record(Event.ROLE_GRANTED, "system", "role", f"{number}/{turn}")
                model.Session.commit()
            model.Session.remove()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = journalled().order_by(JournalLine.id).all()
        found = verify(as_mapping(row) for row in rows)
        assert (found.valid, found.lines) == (True, 80)

    def test_a_line_removed_behind_our_back_is_found_by_the_action(self, people):
        super_referent = people.context("super_referent")
        assert call_action("dinamis_journal_verify", super_referent)["valid"]
        model.Session.execute(sa.delete(JournalLine).where(JournalLine.id == 2))
        model.Session.commit()
        found = call_action("dinamis_journal_verify", super_referent)
        assert (found["valid"], found["first_broken"]) == (False, 3)

    def test_lines_changed_or_swapped_by_the_owner_of_the_database_are_found(self, people):
        super_referent = people.context("super_referent")
        # The owner's lock on the table, below, would keep lines that still wait from their place.
        assert call_action("dinamis_journal_verify", super_referent)["lines"] == 3
        swap = "UPDATE dinamis_journal SET id = CASE id WHEN 1 THEN -2 WHEN 2 THEN -1 END WHERE id IN (1, 2)"
        tricks = {
            "changed": ["UPDATE dinamis_journal SET actor = 'somebody else' WHERE id = 2"],
            "swapped": [swap, "UPDATE dinamis_journal SET id = -id WHERE id < 0"],
        }
        for name, statements in tricks.items():
            for sql in ("ALTER TABLE dinamis_journal DISABLE TRIGGER USER", *statements):
                model.Session.execute(sa.text(sql))
            found = call_action("dinamis_journal_verify", super_referent)
            assert (found["valid"], found["first_broken"]) == (False, {"changed": 2, "swapped": 1}[name])
            model.Session.rollback()
            assert call_action("dinamis_journal_verify", super_referent)["valid"]

    def test_filters(self, people):
        listed = call_action(
            "dinamis_journal_list",
            people.context("super_referent"),
            q="role.",
            organization_id=people.organization["id"],
        )
        assert {line["event"] for line in listed["results"]} == {"role.granted"}
        assert listed["count"] == 1

    def test_a_search_is_counted_so_far_and_says_that_it_has_more(self, people, monkeypatch):
        monkeypatch.setattr(actions, "MOST", 2)
        found = call_action("dinamis_journal_list", people.context("super_referent"), q="role.", limit=1)
        assert (found["count"], found["more"], len(found["results"])) == (2, True, 1)
        whole = call_action("dinamis_journal_list", people.context("super_referent"))
        assert (whole["count"], whole["more"]) == (3, False)

    def test_personal_details_are_not_in_it(self, people):
        with pytest.raises(tk.NotAuthorized):
            call_action("dinamis_journal_list", people.context("referent"))
