"""To whom people reply: the address of the mail's group, or the moderator who has the thing in hand."""

from __future__ import annotations

import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority.model import RoleGrant
from ckanext.dinamis_relais.gateway import replies
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.wording.catalogue import names
from tests.accounts.helpers import enter
from tests.gateway.conftest import PREFIX
from tests.imagery_requests import test_requests as imagery
from tests.membership.helpers import file_in
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

GENERAL, ACCOUNTS = "pigma@relais.example", "comptes@relais.example"


@pytest.fixture(autouse=True)
def general(ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, PREFIX + "contact_email", GENERAL)


def put(monkeypatch, ckan_config, **settings):
    for name, value in settings.items():
        monkeypatch.setitem(ckan_config, f"{PREFIX}reply_to.{name}", value)


def move(people, file, transition, by="super_referent", **more):
    call_action("dinamis_application_transition", people.context(by), id=file["id"], transition=transition, **more)


def answers(name):
    model.Session.rollback()
    return {mail.reply_to for mail in model.Session.query(Mail).filter_by(name=name)}


def test_every_mail_is_in_one_group_and_every_group_has_a_setting_and_a_mail(with_plugins):
    found = {name: replies.group_of(name) for name in names()}
    assert None not in found.values(), [name for name, group in found.items() if group is None]
    assert set(found.values()) == set(replies.GROUPS) == set(config.reply_addresses())
    for name in names():
        begins = [group for group, starts in replies.GROUPS.items() if name.startswith(starts)]
        assert len(begins) == 1, name


def test_a_group_s_own_address_or_the_general_one(member, ckan_config, monkeypatch, post_office):
    put(monkeypatch, ckan_config, accounts=ACCOUNTS)
    enter(member)
    assert answers("account_invitation") == {ACCOUNTS}
    assert answers("application_accepted") == {GENERAL}
    deliver_once()
    invitation = [one for one in post_office.messages if one["Reply-To"] == ACCOUNTS]
    assert len(invitation) == 1


def test_an_address_in_the_text_is_that_of_the_people_who_answer(member, ckan_config, monkeypatch):
    put(monkeypatch, ckan_config, accounts=ACCOUNTS)
    call_action("dinamis_mail_update", member.context("super_referent"), id="account_active", subject="Compte actif",
                body="Une question ? Écrivez à {{ contact }}.")  # fmt: skip
    account = enter(member)
    call_action("dinamis_account_transition", member.context("super_referent"), id=account["id"], transition="activate")
    assert model.Session.query(Mail).filter_by(name="account_active").one().body.strip().endswith(f"{ACCOUNTS}.")


class TestInHand:
    def claimed(self, people, by="super_referent"):
        file = file_in(people, "under_review")
        call_action("dinamis_application_claim", people.context(by), id=file["id"])
        return file

    def test_off_unless_the_operator_says_so(self, people):
        file = self.claimed(people)
        move(people, file, "ask_changes", reason="Une pièce manque.")
        assert answers("application_changes") == {GENERAL}

    def test_the_moderator_who_took_the_file_in_charge(self, people, ckan_config, monkeypatch):
        put(monkeypatch, ckan_config, claimed=True, membership="adhesions@relais.example")
        file = self.claimed(people)
        move(people, file, "ask_changes", reason="Une pièce manque.")
        assert answers("application_changes") == {people.super_referent["email"]}

    def test_nobody_s_file_and_one_whose_moderator_left_go_to_the_group(self, people, ckan_config, monkeypatch):
        put(monkeypatch, ckan_config, claimed=True, membership="adhesions@relais.example")
        file = self.claimed(people)
        grant = model.Session.query(RoleGrant).filter_by(user_id=people.super_referent["id"]).one()
        call_action("dinamis_role_revoke", people.context("sysadmin"), id=grant.id)
        move(people, file, "ask_changes", "sysadmin", reason="Une pièce manque.")
        assert answers("application_changes") == {"adhesions@relais.example"}

    def test_who_examines_a_request(self, asker, ckan_config, monkeypatch):
        put(monkeypatch, ckan_config, claimed=True)
        request = imagery.ask(asker)
        imagery.step(asker, request, "hold")
        imagery.step(asker, request, "reject", reason="Déjà couvert.")
        assert answers("request_rejected") == {asker.super_referent["email"]}
        assert answers("request_received") == {GENERAL}


def test_the_pages_of_the_texts_tell_it(people, browser, ckan_config, monkeypatch):
    put(monkeypatch, ckan_config, accounts=ACCOUNTS, claimed=True)
    page = words(browser.soup("super_referent", "/dinamis/moderation/mails"))
    assert ACCOUNTS in page
    assert GENERAL in page
    one = words(browser.soup("super_referent", "/dinamis/moderation/mails/account_active"))
    assert ACCOUNTS in one
    assert "en charge" not in one
    assert "en charge" in words(browser.soup("super_referent", "/dinamis/moderation/mails/application_changes"))
