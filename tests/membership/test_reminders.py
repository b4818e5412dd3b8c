"""Reminders: each leaves once, to whom the table says, with a link that works."""

from __future__ import annotations

import threading

import pytest
from ckan import model
from ckan.tests.helpers import call_action
from freezegun import freeze_time

from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership import chores, reminders
from ckanext.dinamis_relais.membership.model import Reminder
from ckanext.dinamis_relais.rooms import collect
from tests.journalled import journalled

from .helpers import file_in, sign, token_of
from .members import age, mails, member, open_file, today

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

HOUR = "ckanext.dinamis_relais.reminders.hour"


def passed(file, days):
    """So many more days go by; what left then."""
    age(file["id"], days)
    return reminders.remind_due()


class TestSignature:
    def test_after_7_and_21_days_and_never_again(self, people, ckan_config):
        file = file_in(people, "awaiting_signature")
        sent = [reminders.remind_due()]
        # The anchor of the occasion moves with the rows here, so a whole life is walked on one anchor each.
        for days in (6, 7, 20, 21, 90):
            model.Session.query(Reminder).delete()
            age(file["id"], days)
            sent.append(reminders.remind_due() + reminders.remind_due())
            age(file["id"], -days)
        assert sent == [0, 0, 1, 1, 1, 1]
        assert {mail.recipient for mail in mails("signature_reminder")} == {"maire@begles.example"}

    def test_two_days_of_one_request_are_two_reminders(self, people, monkeypatch, ckan_config):
        file = file_in(people, "awaiting_signature")
        age(file["id"], 22)
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.reminders.signature_days", ["7"])
        assert [reminders.remind_due(), reminders.remind_due()] == [1, 0]
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.reminders.signature_days", ["7", "21"])
        assert [reminders.remind_due(), reminders.remind_due()] == [1, 0]

    def test_its_link_signs_and_so_does_the_first_one(self, people):
        file = file_in(people, "awaiting_signature")
        assert passed(file, 8) == 1
        first = token_of(mails("signature_requested")[0])
        second = token_of(mails("signature_reminder")[0])
        assert first != second
        for token in (first, second):
            shown = call_action("dinamis_signature_show", {"user": "", "ignore_auth": False}, token=token)
            assert shown["status"] == "open"
        assert sign(second)["state"] == "signed"
        shown = call_action("dinamis_signature_show", {"user": "", "ignore_auth": False}, token=first)
        assert shown["status"] == "signed"
        assert passed(file, 30) == 0

    def test_a_new_link_by_hand_begins_anew(self, people):
        file = file_in(people, "awaiting_signature")
        assert passed(file, 8) == 1
        call_action("dinamis_application_transition", people.context("super_referent"), id=file["id"],
                    transition="resend_signature")  # fmt: skip
        assert reminders.remind_due() == 0
        assert passed(file, 8) == 1

    def test_none_when_the_operator_wants_none(self, people, monkeypatch, ckan_config):
        file = file_in(people, "awaiting_signature")
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.reminders.signature_days", [])
        assert passed(file, 90) == 0

    def test_days_that_are_none_are_named(self, people, monkeypatch, ckan_config):
        file_in(people, "awaiting_signature")
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.reminders.signature_days", ["7", "soon"])
        with pytest.raises(ValueError, match=r"reminders\.signature_days"):
            reminders.remind_due()

    def test_it_is_in_the_history_of_the_partners_page(self, people):
        file = file_in(people, "awaiting_signature")
        passed(file, 8)
        line = call_action("dinamis_application_history", people.context("referent"), id=file["id"])["results"][-1]
        assert (line["event"], line["kind"], line["days"]) == ("application.reminded", "signature", 7)


class TestCorrection:
    def test_the_partner_is_reminded_of_the_very_reason(self, people):
        file = file_in(people, "changes_requested")
        assert passed(file, 13) == 0
        assert passed(file, 2) == 1
        sent = mails("correction_reminder")
        assert {mail.recipient for mail in sent} == {"sig@begles.example", "maire@begles.example"}
        assert all("Adresse manquante." in mail.body for mail in sent)


class TestTerm:
    @pytest.mark.parametrize(("left", "number"), [(61, 0), (60, 1), (31, 1), (30, 1), (7, 1), (0, 1), (-1, 1)])
    def test_before_the_end(self, people, left, number):
        row = member(people, today(left))
        assert [reminders.remind_due(), reminders.remind_due()] == [number, 0]
        sent = mails("term_reminder")
        assert len(sent) == 2 * number
        for mail in sent:
            assert mailer.day(row.term_ends_on) in mail.body
            assert ("est passé" in mail.body) == (left < 0)

    def test_no_term_no_reminder(self, people):
        member(people)
        assert reminders.remind_due() == 0


class TestReacceptance:
    def test_before_the_last_day(self, people, monkeypatch, ckan_config):
        member(people)
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.charter_version", "2027")
        file = open_file(people, "reacceptance")
        call_action("dinamis_application_transition", people.context("referent"), id=file["id"],
                    transition="request_signature")  # fmt: skip
        assert file["answer_by"] == today(60).isoformat()
        assert passed(file, 8) == 0, "the reminders of a first signature are not for this"
        monkeypatch.setattr("ckanext.dinamis_relais.membership.reminders.utcnow", lambda: later(31))
        assert reminders.remind_due() == 1
        assert "Charte DINAMIS (2027)" in mails("reacceptance_reminder")[0].body


def later(days):
    import datetime as dt

    from ckanext.dinamis_relais.db import utcnow

    return utcnow() + dt.timedelta(days=days)


def test_eight_runs_at_once_send_one(app, people):
    file = file_in(people, "awaiting_signature")
    age(file["id"], 8)
    start, sent = threading.Barrier(8), []

    def run():
        with app.flask_app.test_request_context():
            start.wait(timeout=30)
            try:
                sent.append(reminders.remind_due())
            finally:
                model.Session.remove()

    threads = [threading.Thread(target=run) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(sent) == [0] * 7 + [1]
    model.Session.rollback()
    assert model.Session.query(Mail).filter_by(name="signature_reminder").count() == 1
    assert journalled().filter_by(event="application.reminded").count() == 1


def test_a_message_that_cannot_be_written_leaves_no_trace_and_holds_up_no_other(people, monkeypatch):
    file = file_in(people, "awaiting_signature")
    age(file["id"], 8)
    real = mailer.write

    def broken(*args, **kwargs):
        raise RuntimeError("no template")

    monkeypatch.setattr(mailer, "write", broken)
    assert reminders.remind_due() == 0
    assert model.Session.query(Reminder).count() == 0
    monkeypatch.setattr(mailer, "write", real)
    assert reminders.remind_due() == 1


class TestByTheWorker:
    """Without a timer: the worker looks once a day; with one besides, nothing leaves twice."""

    @pytest.fixture(autouse=True)
    def any_hour(self, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, HOUR, 0)

    def test_once_a_day_and_again_the_next_day(self, people):
        file = file_in(people, "awaiting_signature")
        assert chores.remind() == 0
        age(file["id"], 8)
        assert chores.remind() == 0  # this day has been looked at
        tomorrow()
        assert (chores.remind(), chores.remind()) == (1, 0)
        assert len(mails("signature_reminder")) == 1

    def test_with_the_daily_command_besides_nothing_leaves_twice(self, people):
        file = file_in(people, "awaiting_signature")
        age(file["id"], 8)
        assert (chores.remind(), reminders.remind_due()) == (1, 0)
        tomorrow()
        age(file["id"], 14)
        model.Session.query(Reminder).filter_by(kind="signature").delete()  # the anchor moved with the rows
        model.Session.commit()
        assert (reminders.remind_due(), chores.remind()) == (1, 0)
        assert len(mails("signature_reminder")) == 2

    def test_eight_workers_at_once_send_it_once(self, people, app):
        file = file_in(people, "awaiting_signature")
        age(file["id"], 8)
        gate, sent = threading.Barrier(8), []

        def one():
            gate.wait()
            with app.flask_app.test_request_context():
                sent.append(chores.remind() if len(sent) % 2 else reminders.remind_due())
                model.Session.remove()

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(sent) == 1
        assert len(mails("signature_reminder")) == 1

    def test_not_before_the_hour_and_never_where_only_the_command_sends(self, people, ckan_config, monkeypatch):
        file = file_in(people, "awaiting_signature")
        age(file["id"], 8)
        for hour in (-1, 24):
            monkeypatch.setitem(ckan_config, HOUR, hour)
            assert chores.remind() == 0
        with freeze_time("2027-06-01T05:59:00Z"):  # 07:59 in Paris
            monkeypatch.setitem(ckan_config, HOUR, 8)
            assert chores.remind() == 0
        with freeze_time("2027-06-01T06:01:00Z"):
            assert chores.remind() == 1

    def test_one_that_dies_before_the_day_is_noted_is_followed_by_the_next(self, people, monkeypatch):
        file = file_in(people, "awaiting_signature")
        age(file["id"], 8)

        def dies():
            raise RuntimeError("power cut")

        with monkeypatch.context() as broken:
            broken.setattr(reminders, "remind_due", dies)
            with pytest.raises(RuntimeError):
                chores.remind()
        assert chores.remind() == 1

    def test_it_is_a_chore_of_the_worker(self, people, monkeypatch):
        monkeypatch.setattr(chores, "_last", [-chores.EVERY * 1e9])
        file = file_in(people, "awaiting_signature")
        age(file["id"], 8)
        assert collect("chores")["remind_daily"] is chores.remind_daily
        assert chores.remind_daily() == 1


def tomorrow():
    """The day that was looked at was yesterday."""
    model.Session.query(Reminder).filter_by(kind="reminders").update({"occasion": "2026-01-01"})
    model.Session.commit()
