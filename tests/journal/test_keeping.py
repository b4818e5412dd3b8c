"""The journal with time: its head leaves once a day, its old lines end by a rule, it is found by what people know."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.cli.cli import ckan
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais import daily
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal import Event, keeping, reading, record, settle
from ckanext.dinamis_relais.journal.model import JournalCheckpoint, JournalLine
from ckanext.dinamis_relais.overview import rollup
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "relay_db", "with_request_context")
PREFIX = "ckanext.dinamis_relais."


def write(count, organization=None, private=None):
    for number in range(count):
        record(Event.ROLE_GRANTED, "system", "role", str(number), organization, private)
    model.Session.commit()
    settle()


def verdict():
    return call_action("dinamis_journal_verify", {"ignore_auth": True})


def age(days, until):
    """Make lines old: the database refuses, so its guard is put aside for it."""
    model.Session.execute(sa.text("ALTER TABLE dinamis_journal DISABLE TRIGGER dinamis_journal_append_only"))
    lines = journalled().filter(JournalLine.id <= until)
    lines.update({"at": utcnow() - dt.timedelta(days=days)})
    model.Session.execute(sa.text("ALTER TABLE dinamis_journal ENABLE TRIGGER dinamis_journal_append_only"))
    model.Session.commit()


class TestHead:
    def test_is_mailed_once_a_day_and_only_to_an_operator(self, ckan_config, monkeypatch):
        write(3)
        assert keeping.tell_head() == 0
        monkeypatch.setitem(ckan_config, PREFIX + "operator_email", "operator@example.org")
        assert [keeping.tell_head(), keeping.tell_head()] == [1, 0]
        mail = model.Session.query(Mail).filter_by(name="journal_head").one()
        assert (mail.recipient, verdict()["head"] in mail.body) == ("operator@example.org", True)
        later = utcnow() + dt.timedelta(days=1)
        for module in (keeping, daily):
            monkeypatch.setattr(module, "utcnow", lambda: later)
        assert keeping.tell_head() == 1
        assert model.Session.query(Mail).filter_by(name="journal_head").count() == 2

    def test_commands(self, cli, tmp_path):
        write(4)
        number, digest = cli.invoke(ckan, ["dinamis", "journal", "head"]).output.split()[-2:]
        assert (number, digest) == ("4", verdict()["head"])
        noted = ["dinamis", "journal", "verify", "--line", number, "--hash", digest]
        assert cli.invoke(ckan, noted).exit_code == 0
        exported = tmp_path / "journal.jsonl"
        exported.write_bytes(b"".join(reading.json_lines({})))
        from_file = ["dinamis", "journal", "verify", "--file", str(exported)]
        assert cli.invoke(ckan, from_file).exit_code == 0
        lines = exported.read_text(encoding="utf-8").splitlines()
        lines[1] = json.dumps(json.loads(lines[1]) | {"actor": "other"})
        exported.write_text("\n".join(lines), encoding="utf-8")
        answer = cli.invoke(ckan, from_file)
        assert (answer.exit_code, "line 2" in answer.output) == (1, True)
        # Who rewrites the whole chain makes one that fits; the hash that was noted does not.
        assert cli.invoke(ckan, [*noted[:-1], "0" * 64]).exit_code == 1
        model.Session.execute(sa.delete(JournalLine).where(JournalLine.id == 4))
        model.Session.commit()
        assert verdict()["valid"]
        assert cli.invoke(ckan, noted).exit_code == 1


class TestRetention:
    @pytest.fixture(autouse=True)
    def year(self, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "journal_retention_days", 365)

    def aged(self, until):
        write(10, private={"reason": "words"})
        while rollup.refresh():
            pass
        age(400, until)

    def test_old_lines_end_and_the_chain_goes_on(self):
        self.aged(6)
        head = verdict()
        assert not head["valid"]  # the test itself changed the times: what was covered is covered
        assert keeping.prune(portion=4) == 4
        assert keeping.prune(portion=4) == 2
        assert keeping.prune() == 0
        found = verdict()
        assert (found["valid"], found["lines"]) == (True, 4 + 2)
        kept = model.Session.query(JournalCheckpoint).one()
        assert (kept.line_id, journalled().filter_by(event="journal.pruned").count()) == (6, 2)
        assert model.Session.execute(sa.text("SELECT min(line_id) FROM dinamis_journal_private")).scalar() == 7
        write(1)
        assert verdict()["valid"]
        # A line that comes back from before the beginning, or a beginning that is moved, is seen.
        model.Session.query(JournalCheckpoint).update({"line_id": 5})
        model.Session.commit()
        assert verdict()["first_broken"] == 7

    def test_never_what_is_not_counted_nor_the_newest(self):
        write(5)
        age(400, 5)
        assert keeping.prune() == 0
        while rollup.refresh():
            pass
        assert keeping.prune() == 4
        assert journalled().count() == 2

    def test_without_a_rule_nothing_ends(self, ckan_config, monkeypatch):
        self.aged(6)
        monkeypatch.setitem(ckan_config, PREFIX + "journal_retention_days", 0)
        assert keeping.prune() == 0


class TestSearch:
    def found(self, people, **search):
        return call_action("dinamis_journal_list", people.context("super_referent"), **search)["results"]

    def test_by_who_about_whom_what_and_when(self, people):
        name, organization = people.super_referent["fullname"], people.organization
        record(Event.ACCOUNT_KEPT, people.super_referent["id"], "account", "a", organization["id"])
        record(Event.QUESTION_ASKED, people.member["id"], "question", "q", organization["id"])
        model.Session.commit()
        mine = self.found(people, who=name[:-1], object_type="account")
        assert [line["event"] for line in mine] == ["account.kept"]
        assert len(self.found(people, about="bègles")) == 3
        assert self.found(people, about="Limoges") == self.found(people, who="%") == []
        today = utcnow().date()
        assert len(self.found(people, since=today.isoformat(), until=today.isoformat(), q="question.")) == 1
        assert self.found(people, until=(today - dt.timedelta(days=2)).isoformat()) == []
