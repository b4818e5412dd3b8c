"""Terms: what an acceptance gives, renewals, new acceptances, and the end when nobody answers."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.membership import reminders, terms, terms_rules
from ckanext.dinamis_relais.membership.model import Application, Membership, Reminder
from tests.journalled import journalled

from .helpers import file_in
from .members import again, mails, member, open_file, take, today

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

ASKED, ACCEPTED = (
    ("awaiting_signature", "signed"),
    ("awaiting_signature", "signed", "under_review", "submitted", "accepted"),
)


@pytest.fixture
def two_years(monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.membership_months", 24)


@pytest.fixture
def new_charter(monkeypatch, ckan_config):
    """Call it to put a new version of the charter in force."""
    return lambda: monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.charter_version", "2027")


def account() -> str:
    model.Session.expire_all()
    return model.Session.query(Account).one().state


def warned(days_ago: int) -> None:
    """The warnings that left, put so many days into the past."""
    for row in model.Session.query(Reminder):
        row.sent_at = row.sent_at - dt.timedelta(days=days_ago)
    model.Session.commit()


class TestGiven:
    def test_no_end_unless_the_operator_says_so(self, people):
        file_in(people, "accepted")
        row = model.Session.query(Membership).one()
        assert row.term_ends_on is None
        assert row.accepted_texts == {"charter": "modèle 1", "licences": "modèle 1"}

    @pytest.mark.usefixtures("two_years")
    def test_counted_from_the_acceptance(self, people):
        file_in(people, "accepted")
        expected = terms_rules.add_months(today(), 24) - dt.timedelta(days=1)
        assert model.Session.query(Membership).one().term_ends_on == expected

    def test_what_only_the_members_people_see(self, people):
        member(people, today(40))
        id_ = people.organization["id"]
        shown = call_action("dinamis_membership_show", people.context("referent"), organization_id=id_)
        assert shown["term_ends_on"] == today(40).isoformat()
        assert shown["kinds"] == ["renewal", "change"]
        for role in ("anonymous", "outsider"):
            shown = call_action("dinamis_membership_show", people.context(role), organization_id=id_)
            assert not {"term_ends_on", "kinds", "accepted_texts", "reason", "transitions"} & set(shown)


class TestRenewal:
    @pytest.mark.usefixtures("two_years")
    def test_it_goes_on_from_the_term_with_its_own_papers(self, people):
        row = member(people, today(40))
        first = row.application_id
        file = open_file(people, "renewal")
        assert (file["siren"], file["representative"]["email"]) == ("213300395", "maire@begles.example")
        done = take(people, file, *ACCEPTED)
        assert done["state"] == "accepted"
        row = again(row)
        assert (row.state, row.term_ends_on) == ("active", terms_rules.add_months(today(40), 24))
        assert row.application_id == file["id"] != first
        ours = people.context("referent")
        kinds = {
            id_: [d["kind"] for d in call_action("dinamis_document_list", dict(ours), application_id=id_)["results"]]
            for id_ in (first, file["id"])
        }
        assert kinds[first] == kinds[file["id"]] == ["amendment", "signed_amendment", "membership_deed"]
        assert model.Session.get(Application, first).agreement_number != row.agreement_number

    def test_too_early_and_without_an_end(self, people):
        row = member(people, today(91))
        with pytest.raises(tk.ValidationError) as raised:
            open_file(people, "renewal")
        assert "trop tôt" in raised.value.error_dict["kind"][0]
        row.term_ends_on = None
        model.Session.commit()
        with pytest.raises(tk.ValidationError):
            open_file(people, "renewal")

    def test_the_super_referent_may_too_but_nobody_else(self, people):
        member(people, today(10))
        for role in ("executive_board", "member", "outsider", "anonymous"):
            with pytest.raises(tk.NotAuthorized):
                open_file(people, "renewal", role)
        assert open_file(people, "renewal", "super_referent")["answer_by"] == today(10).isoformat()

    def test_a_refused_one_does_not_end_a_running_membership(self, people):
        row = member(people, today(10))
        take(people, open_file(people, "renewal"), *ACCEPTED[:-1], "refused")
        assert (again(row).state, account()) == ("active", "validated")
        assert terms.end_due() == 0

    def test_a_suspended_account_comes_back_with_an_accepted_renewal(self, people):
        row = member(people, today(10))
        call_action("dinamis_membership_transition", people.context("super_referent"), id=row.id,
                    transition="suspend", reason="Essai.")  # fmt: skip
        assert account() == "suspended"
        take(people, open_file(people, "renewal", "super_referent"), *ACCEPTED)
        assert (again(row).state, account()) == ("active", "validated")


class TestTermOver:
    def test_warned_then_ended_with_its_accounts(self, people):
        row = member(people, today(-1))
        assert terms.end_due() == 0, "nobody was warned"
        assert reminders.remind_due() == 1
        assert terms.end_due() == 0, "the warning's days have not passed"
        warned(7)
        assert [terms.end_due(), terms.end_due()] == [1, 0]
        row = again(row)
        assert (row.state, row.ended_because) == ("ended", "term")
        assert row.until is not None
        assert "n'a pas été renouvelée" in row.reason
        assert account() == "suspended"
        sent = mails("membership_term_over")
        assert {"maire@begles.example", "sig@begles.example"} < {mail.recipient for mail in sent}
        assert all(row.reason in mail.body for mail in sent)
        assert row.reason in model.Session.query(Mail).filter_by(name="account_suspended").one().body
        line = journalled().filter_by(event="membership.term_over").one()
        assert (line.data["state_from"], line.data["state_to"]) == ("active", "ended")

    def test_its_last_day_is_a_day_of_the_term(self, people):
        member(people, today(0))
        reminders.remind_due()
        warned(60)
        assert terms.end_due() == 0

    def test_a_renewal_that_is_signed_waits_for_the_decision(self, people):
        row = member(people, today(-1))
        file = take(people, open_file(people, "renewal"), *ASKED)
        reminders.remind_due()
        warned(60)
        assert terms.end_due() == 0
        take(people, file, "under_review", "submitted", "refused")
        assert terms.end_due() == 1
        assert again(row).ended_because == "term"

    def test_without_warnings_when_the_operator_wants_none(self, people, monkeypatch, ckan_config):
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.reminders.term_days", [])
        member(people, today(-1))
        assert terms.end_due() == 1

    @pytest.mark.usefixtures("two_years")
    def test_a_new_first_file_brings_the_member_and_its_accounts_back(self, people, monkeypatch, ckan_config):
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.reminders.term_days", [])
        row = member(people, today(-1))
        terms.end_due()
        with pytest.raises(tk.ValidationError):
            open_file(people, "renewal")
        file_in(people, "accepted")
        row = again(row)
        assert (row.state, row.until, row.ended_because, row.reason) == ("active", None, None, None)
        assert row.term_ends_on > today(700)
        assert account() == "validated"

    def test_a_member_needs_no_first_file(self, people):
        member(people)
        with pytest.raises(tk.ValidationError) as raised:
            open_file(people, "first", "super_referent")
        assert "déjà membre" in raised.value.error_dict["kind"][0]


class TestReacceptance:
    def asked(self, people):
        file = open_file(people, "reacceptance", "super_referent")
        return take(people, file, "awaiting_signature")

    def test_only_when_the_texts_changed(self, people):
        member(people)
        with pytest.raises(tk.ValidationError):
            open_file(people, "reacceptance")

    def test_the_signature_is_enough(self, people, new_charter):
        row = member(people)
        new_charter()
        file = self.asked(people)
        assert mails("reacceptance_requested")[0].recipient == "maire@begles.example"
        assert take(people, file, "signed")["state"] == "accepted"
        row = again(row)
        assert row.accepted_texts == {"charter": "2027", "licences": "modèle 1"}
        assert (row.state, row.application_id) == ("active", file["id"])
        assert {mail.recipient for mail in mails("reacceptance_registered")} == {
            "maire@begles.example",
            "sig@begles.example",
        }
        events = [line.event for line in journalled().filter_by(object_id=file["id"])
                  .order_by(JournalLine.id)]  # fmt: skip
        assert events[-2:] == ["application.signed", "application.acceptance_registered"]
        assert reminders.remind_due() == terms.end_due() == 0

    def test_overdue_after_its_warnings_then_signed_late(self, people, new_charter):
        row = member(people)
        new_charter()
        file = self.asked(people)
        model.Session.get(Application, file["id"]).answer_by = today(-1)
        model.Session.commit()
        assert terms.end_due() == 0
        assert reminders.remind_due() == 1
        warned(7)
        assert [terms.end_due(), terms.end_due()] == [1, 0]
        row = again(row)
        assert (row.state, row.ended_because, account()) == ("ended", "reacceptance", "suspended")
        assert len(mails("membership_lapsed")) == 3
        assert take(people, file, "signed")["state"] == "accepted"
        assert (again(row).state, account()) == ("active", "validated")

    def test_signed_in_time_is_never_overdue(self, people, new_charter):
        member(people)
        new_charter()
        file = take(people, self.asked(people), "signed")
        model.Session.get(Application, file["id"]).answer_by = today(-90)
        model.Session.commit()
        assert terms.end_due() == 0

    def test_it_does_not_lift_a_suspension_nor_undo_another_end(self, people, new_charter):
        row = member(people)
        new_charter()
        file = self.asked(people)
        pigma = people.context("super_referent")
        call_action("dinamis_membership_transition", pigma, id=row.id, transition="suspend", reason="Essai.")
        take(people, file, "signed")
        assert (again(row).state, account()) == ("suspended", "suspended")

        call_action("dinamis_membership_transition", pigma, id=row.id, transition="resume")
        again(row).accepted_texts = {}
        model.Session.commit()
        file = self.asked(people)
        call_action("dinamis_membership_transition", pigma, id=row.id, transition="end", reason="Départ.")
        with pytest.raises(tk.ValidationError):
            take(people, file, "signed")
        assert again(row).ended_because == "left"


def test_a_change_of_details_leaves_the_term(people):
    row = member(people, today(200))
    file = open_file(people, "change", address="77 rue Calixte-Camelle")
    take(people, file, *ACCEPTED)
    row = again(row)
    assert (row.application_id, row.term_ends_on) == (file["id"], today(200))
    assert model.Session.get(Application, file["id"]).address == "77 rue Calixte-Camelle"
