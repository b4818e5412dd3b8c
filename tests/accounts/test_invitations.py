"""The invitation: opened once, by the person; it fails safe, and it never locks an address."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais import accounts
from ckanext.dinamis_relais.accounts.model import Account, AccountLink
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import PASSWORD, context_of, enter, move, open_account, token_to

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")


def row_of(account):
    model.Session.expire_all()
    return model.Session.get(Account, account["id"])


def refused(account, name="", **more):
    with pytest.raises(tk.ValidationError) as raised:
        open_account(account, name, **more)
    model.Session.rollback()
    return next(iter(raised.value.error_dict))


def test_the_person_chooses_a_password_and_accepts_the_charter(member):
    account = enter(member)
    user = model.User.get(account["user_id"])
    assert not user.validate_password(PASSWORD)
    assert not accounts.is_open(user.id, member.organization["id"]), "not before the charter is accepted"
    done = open_account(account)
    assert done == {"login": user.name, "created": True}
    model.Session.expire_all()
    assert model.User.get(user.id).validate_password(PASSWORD)
    assert accounts.is_open(user.id, member.organization["id"])
    row = row_of(account)
    assert (row.charter_version, bool(row.email_verified_at)) == ("modèle 1", True)


def test_nobody_guesses_the_first_password(member):
    """The hash is of 256 random bits, and has CKAN's own form, so that a login attempt is refused like any other."""
    user = model.User.get(enter(member)["user_id"])
    assert user.password.startswith("$pbkdf2-sha512$")
    assert not any(user.validate_password(text) for text in ("", "password", user.password))


@pytest.mark.parametrize(("more", "field"), [({"charter": False}, "charter"), ({"password": "court"}, "password")])
def test_what_lacks_is_named_and_the_link_still_works(member, more, field):
    account = enter(member)
    assert refused(account, **more) == field
    assert open_account(account)["created"]


def test_once_only(member):
    account = enter(member)
    open_account(account)
    assert refused(account) == "token"


def test_sent_again_the_earlier_link_ends(member):
    account = enter(member)
    first = token_to(account["email"])
    call_action("dinamis_account_invite", member.context("super_referent"), id=account["id"])
    assert token_to(account["email"]) != first
    assert refused(account, token=first) == "token"
    assert open_account(account)["created"]
    with pytest.raises(tk.ValidationError):
        call_action("dinamis_account_invite", member.context("super_referent"), id=account["id"])


def test_expired_its_page_sends_a_new_one(app, member):
    account = enter(member)
    token = token_to(account["email"])
    assert "token" in _resend(token), "one that may be used is not replaced"
    model.Session.query(AccountLink).update({"expires_at": utcnow() - dt.timedelta(seconds=1)})
    model.Session.commit()
    assert refused(account) == "token"
    app.post(f"/dinamis/join/{token}/again")
    assert token_to(account["email"]) != token
    assert open_account(account)["created"]


def _resend(token):
    try:
        return call_action("dinamis_account_invitation_resend", context_of(""), token=token)
    except tk.ValidationError as error:
        model.Session.rollback()
        return error.error_dict


def test_suspended_before_it_was_opened(member):
    account = enter(member)
    token = token_to(account["email"])
    move(member, account, "suspend", reason="Essai.")
    assert refused(account, token=token) == "token"
    move(member, account, "resume")
    assert open_account(account)["created"], "the mail of the return holds a new link"


def test_a_login_with_the_address_joins_once_it_opens_the_mailed_link(member):
    account = enter(member, email=member.outsider["email"])
    assert account["user_id"] is None
    assert refused(account) == "token", "a visitor has to log in first"
    assert open_account(account, member.outsider["name"])["created"] is False
    row = row_of(account)
    assert (row.user_id, row.user_is_ours) == (member.outsider["id"], False)
    assert accounts.is_open(member.outsider["id"], member.organization["id"])


def test_who_took_the_address_without_having_the_mailbox_gets_nothing(member):
    """The one way in is the mailed token: without it there is no place, whatever address a login claims."""
    impostor = member.outsider
    call_action("user_patch", {"user": impostor["name"], "ignore_auth": True}, id=impostor["id"],
                email="maire@begles.example")  # fmt: skip
    account = enter(member, email="maire@begles.example", role="referent")
    model.Session.expunge_all()
    assert member.organization["id"] not in model.User.get(impostor["id"]).get_group_ids("organization")
    assert not accounts.is_open(impostor["id"], member.organization["id"])
    assert call_action("dinamis_account_mine", context_of(impostor["name"]))["count"] == 0
    assert row_of(account).user_id is None


def test_a_person_with_another_login_takes_the_account_with_it(member):
    account = enter(member, role="referent")
    made = account["user_id"]
    open_account(account, member.outsider["name"])
    row = row_of(account)
    assert row.user_id == member.outsider["id"]
    assert model.User.get(made).state == "deleted", "the login that nobody opened is not left behind"
    assert accounts.is_open(member.outsider["id"], member.organization["id"])
    roles = call_action("dinamis_role_list", member.context("super_referent"), q="referent",
                        organization_id=member.organization["id"])["results"]  # fmt: skip
    assert {role["user_id"] for role in roles} == {member.referent["id"], member.outsider["id"]}


def test_another_login_than_the_accounts_own_is_told(member):
    account = enter(member)
    login = open_account(account)["login"]
    move(member, account, "close", reason="Essai.")
    again = enter(member)
    assert again["login"] == login
    assert refused(again, member.outsider["name"]) == "token"
    assert open_account(again, login)["created"] is False


class TestCorrection:
    def correct(self, people, account, **more):
        return call_action("dinamis_account_update", people.context("super_referent"), id=account["id"], **more)

    def test_a_wrong_address_is_corrected_and_invited_anew(self, member):
        account = enter(member, email="loo@begles.example")
        old = token_to("loo@begles.example")
        done = self.correct(member, account, email="Lou@begles.example")
        assert done["email"] == "lou@begles.example"
        assert model.User.get(account["user_id"]).email == "lou@begles.example"
        assert refused(account, token=old) == "token"
        assert open_account(done)["created"]
        enter(member, email="loo@begles.example", given_name="Une", family_name="Autre")  # the address is not locked

    def test_to_an_address_that_has_a_login(self, member):
        account = enter(member)
        done = self.correct(member, account, email=member.outsider["email"])
        assert done["user_id"] is None
        assert model.User.get(account["user_id"]).state == "deleted"
        assert open_account(done, member.outsider["name"])["login"] == member.outsider["name"]

    def test_an_opened_account_keeps_its_address(self, member):
        account = enter(member)
        open_account(account)
        with pytest.raises(tk.ValidationError) as raised:
            self.correct(member, account, email="autre@begles.example")
        assert list(raised.value.error_dict) == ["email"]
        assert self.correct(member, account, function="SIG")["function"] == "SIG"

    def test_an_address_of_another_account_there(self, member):
        enter(member, email="a@begles.example", given_name="A")
        account = enter(member)
        with pytest.raises(tk.ValidationError) as raised:
            self.correct(member, account, email="a@begles.example")
        assert list(raised.value.error_dict) == ["email"]

    def test_the_role(self, member):
        account = enter(member)
        pigma = member.context("super_referent")
        for role, number in (("referent", 2), ("member", 1)):
            assert self.correct(member, account, role=role)["role"] == role
            grants = call_action("dinamis_role_list", pigma, organization_id=member.organization["id"])
            assert grants["count"] == number

    def test_dinamis_is_told_of_a_correction_and_not_of_none(self, member):
        account = enter(member)
        version = row_of(account).version
        self.correct(member, account, function="SIG")
        assert row_of(account).version == version + 1
        self.correct(member, account, function="SIG")
        assert row_of(account).version == version + 1

    def test_an_account_that_is_over_is_left(self, member):
        account = enter(member)
        move(member, account, "close", reason="Essai.")
        with pytest.raises(tk.ValidationError):
            self.correct(member, account, function="SIG")


def test_the_mail_server_refuses_the_address(member):
    account = enter(member)
    mail = model.Session.query(Mail).filter_by(recipient=account["email"]).one()
    mail.failed_at, mail.last_error = utcnow(), "The mail server refuses this address."
    model.Session.commit()
    shown = call_action("dinamis_account_show", member.context("super_referent"), id=account["id"])
    assert shown["mail_problem"] == "The mail server refuses this address."
    done = call_action("dinamis_account_update", member.context("super_referent"), id=account["id"],
                       email="juste@begles.example")  # fmt: skip
    assert done["mail_problem"] is None


class TestPages:
    def test_a_visitor_opens_the_account_and_is_logged_in(self, app, member):
        account = enter(member)
        page = f"/dinamis/join/{token_to(account['email'])}"
        first = app.get(page)
        assert 'name="password"' in first.body
        assert "charter" in app.post(page, data={"password": PASSWORD}).body
        answer = app.post(page, data={"password": PASSWORD, "charter": "1"}, follow_redirects=False)
        assert answer.headers["Location"].endswith("/dinamis/me")
        assert row_of(account).charter_accepted_at is not None
        assert 'name="password"' not in app.get(page).body

    def test_a_link_that_is_none(self, app, member):
        assert app.get("/dinamis/join/x", expect_errors=True).status_code == 404


class TestCharter:
    @pytest.mark.ckan_config("ckanext.dinamis_relais.user_charter_version", "2")
    def test_a_new_version_is_asked_for_and_accepted(self, member):
        account = enter(member)
        login = open_account(account)["login"]
        row = row_of(account)
        row.charter_version = "1"
        model.Session.commit()
        assert not accounts.is_open(row.user_id, member.organization["id"])
        with pytest.raises(tk.ValidationError):
            call_action("dinamis_charter_accept", context_of(login), version="1")
        assert call_action("dinamis_charter_accept", context_of(login), version="2")["accounts"] == 1
        assert accounts.is_open(row_of(account).user_id, member.organization["id"])

    def test_the_operators_own_text(self, member, tmp_path, monkeypatch, ckan_config):
        file = tmp_path / "charte.txt"
        file.write_text("Un.\n\nDeux,\nsuite.\n", encoding="utf-8")
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.user_charter", str(file))
        from ckanext.dinamis_relais.accounts import charter

        assert charter.text() == {"version": "modèle 1", "paragraphs": ["Un.", "Deux, suite."], "model": False}
