"""Lines that wait for their place in the chain: written without a lock, settled by anyone, never lost."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.cli.cli import ckan
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.journal import Event, chores, erase_private, lines, record, settle, settling
from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate, JournalWaiting
from ckanext.dinamis_relais.overview import health
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "relay_db", "with_request_context")
TEXTS = {"reason": "Pièce d’identité périmée"}


def write(*names, **more):
    for name in names:
        record(Event.ROLE_GRANTED, "system", "role", name, **more)


def count(table):
    return model.Session.execute(sa.select(sa.func.count()).select_from(table)).scalar()


def told():
    return [line.object_id for line in model.Session.execute(lines().order_by(JournalLine.id)).scalars()]


def verdict():
    return call_action("dinamis_journal_verify", {"ignore_auth": True})


def aside(*statements):
    """What the owner of the database may do: put the guards aside."""
    for table in ("dinamis_journal", "dinamis_journal_waiting"):
        model.Session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    for one in statements:
        model.Session.execute(sa.text(one))
    for table in ("dinamis_journal", "dinamis_journal_waiting"):
        model.Session.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    model.Session.commit()


@pytest.fixture
def other():
    """A transaction of somebody else."""
    connection = model.meta.engine.connect()
    transaction = connection.begin()
    yield connection
    if transaction.is_active:
        transaction.rollback()
    connection.close()


def test_a_committed_line_is_read_by_whoever_reads_next():
    write("1", "2")
    model.Session.commit()
    assert (count(JournalWaiting), count(JournalLine)) == (2, 0)
    assert told() == ["1", "2"]
    assert (count(JournalWaiting), count(JournalLine)) == (0, 2)
    assert settle() == 0


def test_a_line_of_an_open_transaction_waits_and_says_so():
    write("1")
    found = verdict()
    assert (found["valid"], found["lines"], found["waiting"]) == (True, 0, 1)
    model.Session.commit()
    found = verdict()
    assert (found["valid"], found["lines"], found["waiting"]) == (True, 1, 0)


def test_what_is_rolled_back_leaves_nothing():
    write("1", private=TEXTS)
    model.Session.rollback()
    assert (told(), count(JournalWaiting), count(JournalPrivate)) == ([], 0, 0)


def test_writers_do_not_wait_for_one_another(other):
    """Another transaction holds a line of its own, uncommitted: ours is written, committed and settled meanwhile."""
    insert = sa.insert(JournalWaiting).values(at=utcnow(), actor="x", event="role.granted", object_type="role",
                                              object_id="theirs", data={})  # fmt: skip
    other.execute(insert)
    write("ours")
    model.Session.commit()
    assert told() == ["ours"]
    other.get_transaction().commit()
    # It was written first and committed last: it comes last, with the time at which it was written.
    assert told() == ["ours", "theirs"]
    assert verdict()["valid"]


def test_writers_and_settlers_at_once_make_one_chain_without_a_gap():
    writers, turns, stop = 8, 25, threading.Event()

    def writing(number):
        for turn in range(turns):
            write(f"{number}/{turn}/a", private=TEXTS if turn % 3 == 0 else None)
            write(f"{number}/{turn}/b")
            if turn % 5 == 4:
                model.Session.rollback()
            else:
                model.Session.commit()
        model.Session.remove()

    def settled(_number):
        moved = 0
        while not stop.is_set():
            moved += settle()
            model.Session.remove()
        return moved

    with ThreadPoolExecutor(writers + 3) as pool:
        settlers = [pool.submit(settled, number) for number in range(3)]
        for future in [pool.submit(writing, number) for number in range(writers)]:
            future.result()
        stop.set()
        moved = sum(future.result() for future in settlers)
    moved += settle()
    expected = {f"{n}/{t}/{which}" for n in range(writers) for t in range(turns) if t % 5 != 4 for which in "ab"}
    found = told()
    assert moved == len(found) == len(expected)
    assert set(found) == expected
    ids = model.Session.execute(sa.select(JournalLine.id).order_by(JournalLine.id)).scalars().all()
    assert ids == list(range(1, len(expected) + 1))
    for number in range(writers):  # what one writer did comes in its order
        own = [name for name in found if name.startswith(f"{number}/")]
        assert own == [f"{number}/{t}/{w}" for t in range(turns) if t % 5 != 4 for w in "ab"]
    assert count(JournalPrivate) == sum(1 for t in range(turns) if t % 3 == 0 and t % 5 != 4) * writers
    assert (verdict()["valid"], verdict()["lines"]) == (True, len(expected))


def test_more_than_a_portion_is_settled_in_one_go(monkeypatch):
    monkeypatch.setattr(settling, "PORTION", 3)
    write(*"12345678")
    model.Session.commit()
    assert settle() == 8
    assert (told(), verdict()["valid"]) == (list("12345678"), True)


def test_who_is_killed_while_settling_loses_nothing():
    """The database ends the settler's connection after it moved the lines, before it could commit."""
    write("1", "2", private=TEXTS)
    model.Session.commit()
    connection = model.meta.engine.connect()
    transaction = connection.begin()
    assert settling._portion(connection) == 2
    pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
    model.Session.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    model.Session.rollback()
    with pytest.raises(sa.exc.DBAPIError):
        transaction.commit()
    connection.invalidate()
    connection.close()
    assert (count(JournalWaiting), count(JournalLine), count(JournalPrivate)) == (2, 0, 0)
    assert (told(), count(JournalPrivate), verdict()["valid"]) == (["1", "2"], 2, True)


def test_a_second_settler_waits_for_the_first_and_finds_nothing_left(other):
    write("1")
    model.Session.commit()
    assert settling._portion(other) == 1
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(settling.settle_all)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        other.get_transaction().commit()
        assert second.result(timeout=5) == 0
    assert (told(), verdict()["valid"]) == (["1"], True)


class TestErasing:
    def test_a_line_of_the_same_transaction_loses_its_text(self):
        write("1", private=TEXTS)
        model.Session.commit()
        write("1", "2", private=TEXTS)
        assert erase_private("role", "1") == 2
        model.Session.commit()
        assert (told(), count(JournalPrivate), verdict()["valid"]) == (["1", "1", "2"], 1, True)
        found = call_action("dinamis_journal_list", {"ignore_auth": True}, object_id="1")["results"]
        assert [(line["erased"], line["private"]) for line in found] == [(True, None), (True, None)]

    def test_reading_within_the_transaction_that_erases_does_not_wait_for_itself(self):
        """A line committed between the two is being erased: who settles leaves it, for the time being."""
        write("1", private=TEXTS)
        model.Session.commit()
        row = JournalWaiting.__table__
        model.Session.execute(sa.update(row).values(private_salt=sa.null(), private_data=sa.null()))
        assert (told(), verdict()["waiting"]) == ([], 1)
        model.Session.commit()
        assert (told(), count(JournalPrivate)) == (["1"], 0)


class TestTampering:
    def test_the_database_refuses_to_change_a_line_that_waits(self):
        write("1", private=TEXTS)
        model.Session.commit()
        for change in ({"actor": "else"}, {"data": {}}, {"private_data": {"reason": "autre"}}, {"serial": 10**9}):
            with pytest.raises(sa.exc.DatabaseError, match="append-only"):
                model.Session.execute(sa.update(JournalWaiting).values(**change))
            model.Session.rollback()
        assert told() == ["1"]

    @pytest.mark.parametrize(("trick", "broken"), [
        ("UPDATE dinamis_journal SET actor = 'else' WHERE id = 2", 2),
        ("UPDATE dinamis_journal SET at = at + interval '1 microsecond' WHERE id = 3", 3),
        ("DELETE FROM dinamis_journal WHERE id = 2", 3),
        ("UPDATE dinamis_journal SET id = CASE id WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE id IN (2, 3); "
         "UPDATE dinamis_journal SET id = -id WHERE id < 0", 2),
    ])  # fmt: skip
    def test_what_was_settled_cannot_be_changed_removed_or_reordered_unseen(self, trick, broken):
        write("1", "2", "3", "4")
        model.Session.commit()
        settle()
        aside(*trick.split("; "))
        write("5")
        model.Session.commit()
        found = verdict()
        assert (found["valid"], found["first_broken"]) == (False, broken)
        assert count(JournalWaiting) == 0

    def test_a_text_changed_while_its_line_waits_is_seen(self):
        """The line's own part holds the text's digest; who changes both within those seconds is not seen."""
        write("1", private=TEXTS)
        model.Session.commit()
        aside('UPDATE dinamis_journal_waiting SET private_data = \'{"reason": "autre"}\'')
        assert verdict()["first_broken"] == 1


class TestTold:
    def test_a_worker_settles_at_each_round(self):
        write("1")
        model.Session.commit()
        assert [chores.settle_journal(), chores.settle_journal()] == [1, 0]
        assert count(JournalLine) == 1

    def test_a_line_that_waits_for_long_is_told_by_health(self, browser, people):
        settle()
        assert health.measure()["journal"] == {"ok": True, "waiting": 0, "oldest_seconds": 0}
        write("1")
        model.Session.commit()
        assert health.measure()["journal"]["ok"]
        aside(f"UPDATE dinamis_journal_waiting SET at = at - interval '{2 * settling.LONG} seconds'")
        found = health.measure()["journal"]
        assert (found["ok"], found["waiting"], found["oldest_seconds"]) == (False, 1, int(2 * settling.LONG))
        shown = words(browser.soup("super_referent", "/dinamis/moderation/health").select_one("table"))
        assert "1 ligne attend sa place dans la chaîne" in shown
        settle()
        assert health.measure()["journal"]["ok"]

    def test_the_command_says_what_waits(self, cli, other):
        write("1")
        model.Session.commit()
        # Somebody is erasing its text just now.
        other.execute(sa.update(JournalWaiting).values(private_salt=sa.null(), private_data=sa.null()))
        answer = cli.invoke(ckan, ["dinamis", "journal", "verify"])
        assert (answer.exit_code, "1 lines wait" in answer.output) == (0, True)

    def test_the_time_of_a_line_is_that_of_its_writing(self):
        before = utcnow()
        write("1")
        after = utcnow()
        model.Session.commit()
        settle()
        at = model.Session.execute(sa.select(JournalLine.at)).scalar()
        assert before <= at <= after < before + dt.timedelta(minutes=1)
