"""All that is held on one person: given, and erased; the journal's chain verifies all the same."""

from __future__ import annotations

import datetime as dt
import json

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts import privacy
from ckanext.dinamis_relais.accounts.model import Account, AccountLink
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import context_of, enter, forget, move, open_account
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

SECRETS = ("Lou", "Exemple", "lou.exemple", "Ingénieure", "Chaleur", "Rivalité")


def closed(people):
    account = enter(people, function="Ingénieure", purpose="Chaleur")
    login = open_account(account)["login"]
    move(people, account, "suspend", reason="Rivalité avec Lou Exemple.")
    move(people, account, "resume")
    move(people, account, "close", reason="Rivalité encore.")
    return account, login


def erase(people, account, role="super_referent"):
    return call_action("dinamis_personal_data_erase", people.context(role), account_id=account["id"])


def test_the_export_holds_all_of_it_and_nothing_secret(member):
    account, login = closed(member)
    own = call_action("dinamis_personal_data_export", context_of(login))
    other = call_action("dinamis_personal_data_export", member.context("super_referent"), account_id=account["id"])
    for found in (own, other):
        assert [row["email"] for row in found["accounts"]] == [account["email"]]
        assert [row["name"] for row in found["logins"]] == [login]
        assert {"account.validated", "account.joined", "account.closed"} <= {e["event"] for e in found["journal"]}
        assert any("Rivalité" in mail["text"] for mail in found["mails"])
        text = json.dumps(found, default=str)
        assert "pbkdf2" not in text
        assert "/dinamis/join/" not in text
    assert journalled().filter_by(event="personal_data.exported").count() == 2


def test_nobody_exports_another(member):
    account, _login = closed(member)
    for role in ("referent", "member", "outsider", "executive_board", "anonymous"):
        with pytest.raises(tk.NotAuthorized):
            call_action("dinamis_personal_data_export", member.context(role), account_id=account["id"])
    assert call_action("dinamis_personal_data_export", member.context("outsider"))["accounts"] == []


def test_erased_nothing_of_the_person_is_left_and_the_chain_verifies(member):
    account, login = closed(member)
    user_id = account["user_id"]
    assert erase(member, account) == {"accounts": 1}
    row = model.Session.get(Account, account["id"], populate_existing=True)
    assert (row.state, row.email, row.given_name, row.user_id) == ("closed", "", "", user_id)
    for text in everything_as_text():
        for secret in SECRETS:
            assert secret not in text, secret
    user = model.User.get(user_id)
    assert (user.state, user.email) == ("deleted", None)
    assert login not in user.name
    verdict = call_action("dinamis_journal_verify", member.context("super_referent"))
    assert verdict["valid"]
    assert model.Session.query(AccountLink).count() == 0
    assert erase(member, account) == {"accounts": 0}


def everything_as_text():
    import sqlalchemy as sa

    model.Session.rollback()
    for name in ("dinamis_account", "dinamis_account_link", "dinamis_mail", "dinamis_journal",
                 "dinamis_journal_private", "dinamis_journal_waiting", "dinamis_batch_row",
                 "dinamis_watch"):  # fmt: skip
        query = sa.text(f"SELECT * FROM {name}")
        rows = [r for r in model.Session.execute(query) if "signature_requested" not in str(r)]
        # The files' own messages name the mayor, and the other people of the fixtures.
        yield "\n".join(str(r) for r in rows if "application" not in str(r))


def test_an_account_that_runs_is_closed_first(member):
    account = enter(member)
    with pytest.raises(tk.ValidationError):
        erase(member, account)
    assert model.Session.get(Account, account["id"], populate_existing=True).email == account["email"]


def test_a_login_that_does_other_things_stays(member):
    account, login = closed(member)
    admin = {"user": member.sysadmin["name"], "ignore_auth": True}
    call_action("member_create", admin, id=member.organization["id"], object=login, object_type="user",
                capacity="editor")  # fmt: skip
    erase(member, account)
    assert model.User.get(login).state == "active"


def test_a_login_that_is_not_ours_stays(member):
    account = enter(member, email=member.outsider["email"])
    open_account(account, member.outsider["name"])
    move(member, account, "close", reason="Essai.")
    erase(member, account)
    assert model.User.get(member.outsider["id"]).state == "active"


def test_after_the_configured_time_by_itself(member, monkeypatch, ckan_config):
    account, _login = closed(member)
    running = enter(member, email="b@begles.example", given_name="Béa")
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.erasure_days", 30)
    assert privacy.erase_due() == 0
    model.Session.query(Account).update({"state_since": utcnow() - dt.timedelta(days=31)})
    model.Session.commit()
    assert privacy.erase_due() == 1
    model.Session.expire_all()
    assert model.Session.get(Account, account["id"]).erased_at is not None
    assert model.Session.get(Account, running["id"]).erased_at is None
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.erasure_days", 0)
    assert privacy.erase_due() == 0


def test_the_person_asks_and_pigma_is_told_once(member):
    account = enter(member)
    login = open_account(account)["login"]
    assert call_action("dinamis_erasure_request", context_of(login)) == {"accounts": 1}
    mail = model.Session.query(Mail).filter_by(name="account_erasure_requested").one()
    assert account["id"] in mail.body
    with pytest.raises(tk.ValidationError):
        call_action("dinamis_erasure_request", context_of(login))
    shown = call_action("dinamis_account_show", member.context("super_referent"), id=account["id"])
    assert shown["erasure_requested_at"]


def test_the_daily_command(cli, member):
    from ckan.cli.cli import ckan as ckan_command

    closed(member)
    model.Session.query(Account).update({"state_since": utcnow() - dt.timedelta(days=4000)})
    model.Session.commit()
    answer = cli.invoke(ckan_command, ["dinamis", "accounts", "daily"])
    assert answer.exit_code == 0, answer.output
    assert "1 persons' details erased" in answer.output


def test_a_persons_own_page(app, member):
    account = enter(member)
    login = open_account(account)["login"]
    token = call_action("api_token_create", {"ignore_auth": True, "user": login}, user=login, name="t")["token"]
    headers = {"Authorization": token}
    forget()
    page = app.get("/dinamis/me", headers=headers)
    assert "Commune de Bègles" in page.body
    forget()
    data = app.post("/dinamis/me/data.json", headers=headers)
    assert json.loads(data.body)["accounts"][0]["id"] == account["id"]
    assert app.get("/dinamis/me/data.json", headers=headers, expect_errors=True).status_code in (404, 405)
