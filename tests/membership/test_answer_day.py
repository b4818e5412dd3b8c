"""The day on which the board gave its written answer: asked for, checked, kept, printed, told."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action
from freezegun import freeze_time

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.membership import deeds, rules
from ckanext.dinamis_relais.membership.model import Application, Document, Membership
from tests.accounts.helpers import forget
from tests.documents.examples import words
from tests.journalled import journalled

from .helpers import file_in
from .test_conventions import token
from .test_deed import ANSWER

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

DAY = dt.date(2026, 11, 20)


def sent_on(people, day: dt.date) -> dict:
    """A file that left for the board at noon of a day."""
    file = file_in(people, "submitted")
    row = model.Session.get(Application, file["id"])
    row.submitted_at = dt.datetime.combine(day, dt.time(12), dt.timezone.utc)
    model.Session.commit()
    return file


def recorded(people, file, given_on=None, transition="accept", **more):
    data = {"given_on": given_on} if given_on is not None else {}
    return call_action("dinamis_decision_record", people.context("super_referent"), id=file["id"],
                       transition=transition, file=ANSWER, **data, **more)  # fmt: skip


def today() -> dt.date:
    return deeds.local_day(utcnow())


def refused(people, file, given_on) -> str:
    with pytest.raises(tk.ValidationError) as raised:
        recorded(people, file, given_on)
    assert list(raised.value.error_dict) == ["given_on"]
    assert model.Session.get(Application, file["id"]).state == "submitted"
    return raised.value.error_dict["given_on"][0]


@pytest.mark.parametrize(("given", "sent", "problem"), [
    (DAY, DAY, None), (DAY, None, None), (DAY - dt.timedelta(1), DAY - dt.timedelta(9), None),
    (DAY + dt.timedelta(1), DAY - dt.timedelta(9), "future"), (DAY - dt.timedelta(1), DAY, "early"),
])  # fmt: skip
def test_the_rule(given, sent, problem):
    assert rules.answer_day_problem(given, DAY, sent) == problem


class TestWhatIsKept:
    def test_an_earlier_day_is_the_decisions_and_the_memberships(self, people):
        given = today() - dt.timedelta(days=5)
        file = sent_on(people, given)
        found = recorded(people, file, given.isoformat(), reference="BE-7")
        assert (found["decided_on"], found["decision_via"]) == (given.isoformat(), "paper")
        assert found["decided_at"][:10] == utcnow().date().isoformat()
        member = model.Session.query(Membership).one()
        assert member.since == dt.datetime.combine(given, dt.time(12), dt.timezone.utc)
        line = journalled().filter_by(event="application.accepted", object_id=file["id"]).one()
        assert line.data["given_on"] == given.isoformat()
        history = call_action("dinamis_application_history", people.context("referent"), id=file["id"])["results"]
        assert [one["given_on"] for one in history if one["state_to"] == "accepted"] == [given.isoformat()]

    def test_no_day_is_today(self, people):
        file = file_in(people, "submitted")
        found = recorded(people, file)
        assert found["decided_on"] == today().isoformat()
        assert model.Session.query(Membership).one().since.isoformat()[:16] == found["decided_at"][:16]

    @pytest.mark.parametrize("transition", ["defer", "refuse", "ask_changes"])
    def test_of_other_answers_too(self, people, transition):
        given = today() - dt.timedelta(days=2)
        file = sent_on(people, given - dt.timedelta(days=1))
        recorded(people, file, given.isoformat(), transition, reason="Préciser l'usage.")
        history = call_action("dinamis_application_history", people.context("referent"), id=file["id"])["results"]
        assert history[-1]["given_on"] == given.isoformat()

    def test_the_boards_own_decision_is_of_today_whatever_is_said(self, people):
        file = file_in(people, "submitted")
        call_action("dinamis_application_transition", people.context("executive_board"), id=file["id"],
                    transition="accept", given_on="2020-01-01")  # fmt: skip
        row = model.Session.get(Application, file["id"])
        assert row.decided_on == today()
        line = journalled().filter_by(event="application.accepted", object_id=file["id"]).one()
        assert "given_on" not in line.data

    @pytest.mark.ckan_config("ckan.display_timezone", "Europe/Paris")
    def test_the_day_is_the_sites_own(self, people):
        with freeze_time("2026-11-20T23:30:00Z"):  # half past midnight of the 21st in Paris
            file = file_in(people, "submitted")
            found = recorded(people, file, "2026-11-21")
        assert found["decided_on"] == "2026-11-21"
        deed = model.Session.query(Document).filter_by(application_id=file["id"], kind="membership_deed").one()
        assert "depuis le 21 novembre 2026" in words(deed.content)


class TestWhatIsRefused:
    def test_a_day_to_come(self, people):
        file = file_in(people, "submitted")
        sentence = refused(people, file, (today() + dt.timedelta(days=1)).isoformat())
        assert sentence.startswith("Jour de la réponse du bureau")
        assert "à venir" in sentence

    def test_a_day_before_the_file_was_sent(self, people):
        given = today() - dt.timedelta(days=3)
        file = sent_on(people, given)
        sentence = refused(people, file, (given - dt.timedelta(days=1)).isoformat())
        assert sentence.startswith("Jour de la réponse du bureau")
        assert tk.h.dinamis_date(given.isoformat()) in sentence

    @pytest.mark.parametrize("given", ["20/11/2026", "2026-13-01", "hier", "0"])
    def test_what_is_no_day(self, people, given):
        assert "2026-11-24" in refused(people, file_in(people, "submitted"), given)

    def test_a_file_that_is_not_at_the_board(self, people):
        file = file_in(people, "draft")
        with pytest.raises(tk.ValidationError) as raised:
            recorded(people, file, today().isoformat())
        assert list(raised.value.error_dict) == ["transition"]


def test_it_stands_on_the_acte(people, ckan_config, monkeypatch, tmp_path):
    from ckanext.dinamis_relais.documents.certificates import self_signed

    key = tmp_path / "seal.p12"
    self_signed(key, None, "PIGMA")
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.seal_pkcs12", str(key))
    given = today() - dt.timedelta(days=40)
    file = sent_on(people, given - dt.timedelta(days=1))
    recorded(people, file, given.isoformat())
    deed = model.Session.query(Document).filter_by(application_id=file["id"], kind="membership_deed").one()
    text, day = words(deed.content), tk.h.dinamis_date(given.isoformat())
    assert f"Prise le {day}" in text
    assert f"Enregistrée le {tk.h.dinamis_date(utcnow().date())}" in text
    assert f"co-validé : décidé par DINAMIS le {day}" in text
    assert f"depuis le {day}" in text


def test_the_pages_ask_for_it_and_tell_it(people, app):
    given = today() - dt.timedelta(days=2)
    file = sent_on(people, given)
    pigma, board = token(people.super_referent), token(people.executive_board)
    address = f"/dinamis/moderation/applications/{file['id']}"
    forget()
    form = app.get(address, headers=pigma).body
    assert f'name="given_on" value="{today()}" min="{given}" max="{today()}"' in form
    recorded(people, file, given.isoformat())
    forget()
    page = app.get(address, headers=pigma).body
    assert f"Accepté · {tk.h.dinamis_date(given.isoformat())}" in " ".join(page.split())
    assert f"Réponse donnée le {tk.h.dinamis_date(given.isoformat())}" in page
    forget()
    assert (
        f"Accepté, {tk.h.dinamis_date(given.isoformat())}"
        in app.get(f"/dinamis/board/{file['id']}", headers=board).body
    )
