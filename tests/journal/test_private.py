"""Typed texts beside the journal: shown, verified, erased, while the chain stays whole."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests.helpers import call_action
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.journal import Event, as_mapping, erase_private, record, settle
from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate
from ckanext.dinamis_relais.journal.rules import digest, private_digest, private_digest_of, verify
from tests.journal.test_journal import chain
from tests.journalled import journalled
from tests.portal.pages import words

TEXTS = {"reason": "Pièce d’identité périmée", "note": "à rappeler"}


def private_chain(count, at, texts=TEXTS, salt="sel"):
    lines = chain(count)
    for place in range(at, count):
        line = lines[place]
        if place == at:
            line |= {"data": {"private": private_digest(salt, texts)}, "private_salt": salt, "private_data": texts}
        line["previous_hash"] = lines[place - 1]["hash"] if place else line["previous_hash"]
        line["hash"] = digest(line, line["previous_hash"])
    return lines


class TestRules:
    def test_the_digest_is_one_that_others_can_make(self):
        text = 'sel\n{"a":"é","b":"x"}'
        assert private_digest("sel", {"b": "x", "a": "é"}) == hashlib.sha256(text.encode()).hexdigest()

    @given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1), st.text(max_size=5))
    def test_the_same_text_has_another_digest_with_another_salt(self, texts, salt):
        assert private_digest(salt, texts) == private_digest(salt, dict(reversed(texts.items())))
        assert private_digest(salt, texts) != private_digest(f"{salt}x", texts)

    @pytest.mark.parametrize(("data", "wanted"), [({"private": "x"}, "x"), ({}, None), ([], None), (None, None)])
    def test_the_digest_is_read_whatever_stands_there(self, data, wanted):
        assert private_digest_of(data) == wanted

    @given(st.integers(1, 6), st.data())
    def test_a_text_that_does_not_fit_is_found_and_an_erased_one_is_fine(self, count, data):
        at = data.draw(st.integers(0, count - 1))
        lines = private_chain(count, at)
        assert verify(lines).valid
        for key, value in (("private_data", {"reason": "autre"}), ("private_data", None), ("private_salt", "poivre")):
            found = verify([*lines[:at], lines[at] | {key: value}, *lines[at + 1 :]])
            assert (found.valid, found.lines, found.first_broken) == (False, at, at + 1)
        erased = lines[at] | {"private_data": None, "private_salt": None}
        assert verify([*lines[:at], erased, *lines[at + 1 :]]) == verify(lines)

    @pytest.mark.parametrize("data", [{"é": 1}, []])
    def test_a_text_beside_a_line_without_digest_is_found(self, data):
        line = chain(1)[0] | {"data": data, "private_salt": "sel", "private_data": TEXTS}
        line["hash"] = digest(line, line["previous_hash"])
        assert verify([line]).first_broken == 1


@pytest.mark.usefixtures("with_plugins", "relay_db")
class TestStored:
    @pytest.fixture
    def pigma(self, people):
        return lambda action, **params: call_action(action, people.context("super_referent"), **params)

    @staticmethod
    def write(object_id="1", object_type="account", **kwargs):
        record(Event.ACCOUNT_REFUSED, "system", object_type, object_id, **kwargs)
        model.Session.commit()
        settle()
        return model.Session.execute(sa.select(sa.func.max(JournalLine.id))).scalar()

    @staticmethod
    def replace(line_id, **values):
        old = model.Session.execute(sa.select(JournalPrivate.salt, JournalPrivate.data)).first()
        model.Session.execute(sa.delete(JournalPrivate).where(JournalPrivate.line_id == line_id))
        row = {"line_id": line_id, "salt": old[0], "data": old[1]} | values
        model.Session.execute(sa.insert(JournalPrivate).values(**row))
        model.Session.commit()

    def test_the_text_is_shown_and_only_its_digest_is_in_the_line(self, pigma):
        number = self.write(private={"reason": TEXTS["reason"], "note": None, "other": ""}, state_to="refused")
        (line,) = pigma("dinamis_journal_list", object_id="1")["results"]
        assert (line["private"], line["erased"]) == ({"reason": TEXTS["reason"]}, False)
        salt = model.Session.execute(sa.select(JournalPrivate.salt).where(JournalPrivate.line_id == number)).scalar()
        expected = private_digest(salt, {"reason": TEXTS["reason"]})
        assert line["data"] == {"state_to": "refused", "private": expected}
        assert pigma("dinamis_journal_verify")["valid"]

    @pytest.mark.parametrize("private", [None, {}, {"reason": None, "note": ""}])
    def test_without_a_text_nothing_is_kept_beside_the_line(self, pigma, private):
        self.write(private=private, state_to="refused")
        (line,) = pigma("dinamis_journal_list", object_id="1")["results"]
        assert (line["data"], line["private"], line["erased"]) == ({"state_to": "refused"}, None, False)
        assert model.Session.query(JournalPrivate).count() == 0

    def test_a_rolled_back_thing_leaves_no_text(self):
        record(Event.ACCOUNT_REFUSED, "system", "account", "1", private=dict(TEXTS))
        model.Session.rollback()
        assert model.Session.query(JournalPrivate).count() == 0

    def test_the_same_text_twice_has_two_digests(self, pigma):
        for _turn in range(2):
            self.write(private=dict(TEXTS))
        lines = pigma("dinamis_journal_list", object_id="1")["results"]
        assert len({line["data"]["private"] for line in lines}) == len(lines) == 2

    def test_once_erased_the_chain_still_verifies(self, pigma):
        self.write(private=dict(TEXTS))
        self.write(private=dict(TEXTS))
        self.write(state_to="closed")
        self.write("2", private=dict(TEXTS))
        self.write(object_type="application", private=dict(TEXTS))
        before = pigma("dinamis_journal_verify")
        assert erase_private("account", "1") == 2
        model.Session.commit()
        assert pigma("dinamis_journal_verify") == before
        assert before["valid"]
        lines = pigma("dinamis_journal_list", q="account.")["results"]
        found = {(line["object_type"], line["object_id"], line["erased"], bool(line["private"])) for line in lines}
        assert found == {
            ("account", "1", True, False),
            ("account", "1", False, False),
            ("account", "2", False, True),
            ("application", "1", False, True),
        }
        assert erase_private("account", "1") == 0

    def test_erasing_belongs_to_the_transaction_of_the_caller(self, pigma):
        self.write(private=dict(TEXTS))
        assert erase_private("account", "1") == 1
        model.Session.rollback()
        assert pigma("dinamis_journal_list", object_id="1")["results"][0]["private"] == TEXTS

    def test_the_database_refuses_to_change_a_text(self):
        self.write(private=dict(TEXTS))
        with pytest.raises(sa.exc.DatabaseError, match="append-only"):
            model.Session.execute(sa.update(JournalPrivate).values(data={"reason": "autre"}))
        model.Session.rollback()

    @pytest.mark.parametrize("change", [{"data": {"reason": "autre"}}, {"data": []}, {"salt": "0" * 32}])
    def test_a_replaced_text_is_found(self, pigma, change):
        number = self.write(private=dict(TEXTS))
        self.write("2")
        self.replace(number, **change)
        found = pigma("dinamis_journal_verify")
        assert (found["valid"], found["lines"], found["first_broken"]) == (False, number - 1, number)

    def test_a_text_slipped_in_beside_a_line_that_had_none_is_found_and_not_shown(self, pigma):
        self.write("2", private=dict(TEXTS))
        number = self.write()
        self.replace(number)
        found = pigma("dinamis_journal_verify")
        assert (found["valid"], found["first_broken"]) == (False, number)
        (line,) = pigma("dinamis_journal_list", object_id="1")["results"]
        assert (line["private"], line["erased"]) == (None, False)

    def test_the_walk_goes_on_over_several_chunks(self, pigma, monkeypatch):
        monkeypatch.setattr("ckanext.dinamis_relais.journal.reading._CHUNK", 2)
        numbers = [self.write(str(turn), private=dict(TEXTS)) for turn in range(5)]
        assert pigma("dinamis_journal_verify")["lines"] == numbers[-1]
        self.replace(numbers[3], data={"reason": "autre"})
        assert pigma("dinamis_journal_verify")["first_broken"] == numbers[3]

    @pytest.mark.parametrize("count", [1, 4])
    def test_a_page_asks_for_its_texts_once(self, pigma, count):
        for _turn in range(count):
            self.write(private=dict(TEXTS))
        asked = []

        def note(connection, cursor, statement, *rest):
            asked.append(statement)

        engine = model.Session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            pigma("dinamis_journal_list", object_id="1")
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        assert sum("dinamis_journal_private" in statement for statement in asked) == 1

    def test_the_page_shows_texts_old_and_new_and_tells_of_erased_ones(self, browser):
        def shown(selector):
            soup = browser.soup("super_referent", "/dinamis/moderation/journal?q=account.")
            return [words(found) for found in soup.select(f"tbody {selector}")]

        self.write("1", private=dict(TEXTS))
        self.write("2", reason="d’avant")
        self.write("3")
        assert (shown("q"), shown(".fst-italic")) == (["d’avant", TEXTS["reason"]], [])
        erase_private("account", "1")
        model.Session.commit()
        assert (shown("q"), len(shown(".fst-italic"))) == (["d’avant"], 1)

    def test_a_line_read_without_its_text_is_verified_by_itself(self):
        self.write(private=dict(TEXTS))
        rows = journalled().order_by(JournalLine.id).all()
        assert verify(as_mapping(row) for row in rows).valid
