"""A suspension ends what is open, at once; and no page of CKAN lets a request be walked around. Over HTTP."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from types import SimpleNamespace

import pytest
from ckan import model
from ckan.lib.mailer import make_key
from ckan.tests import factories
from ckan.tests.helpers import call_action
from werkzeug.test import Client

from ckanext.dinamis_relais.accounts.model import SessionEnd
from tests.accounts.helpers import PASSWORD, enter, forget, link_of, move, open_account

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

TOKEN = re.compile(r'name="_csrf_token"[^>]*content="([^"]+)"|content="([^"]+)"[^>]*name="_csrf_token"')


@pytest.fixture
def csrf(app):
    """The test client with CKAN's protection of forms on, as on a real site; each call a request of its own."""

    # Cookies are kept here: what the client of CKAN's tests does with them differs between CKAN 2.11 and 2.12.
    kept, client = SimpleCookie(), Client(app.app, use_cookies=False)

    def call(method):
        def asked(url, headers=None, follow_redirects=True, **more):
            forget()
            more.pop("expect_errors", None)
            cookies = "; ".join(f"{name}={one.value}" for name, one in kept.items())
            answer = getattr(client, method)(url, headers={"Cookie": cookies, **(headers or {})}, **more)
            for line in answer.headers.getlist("Set-Cookie"):
                kept.load(line)
            if follow_redirects and answer.status_code in (301, 302, 303):
                return call("get")(answer.headers["Location"])
            answer.body = answer.get_data(as_text=True)
            return answer

        return asked

    app.flask_app.config["WTF_CSRF_ENABLED"] = True
    yield SimpleNamespace(get=call("get"), post=call("post"))
    app.flask_app.config["WTF_CSRF_ENABLED"] = False


def token_of(page):
    found = TOKEN.search(page.body)
    assert found, "the page holds no CSRF token"
    return found.group(1) or found.group(2)


def log_in(client, name, password):
    page = client.get("/user/login")
    data = {"login": name, "password": password, "_csrf_token": token_of(page)}
    return client.post("/user/login", data=data)


def here(client):
    """Status of one's own page, without following a redirect to the login."""
    return client.get("/dinamis/me", follow_redirects=False, expect_errors=True).status_code


def test_suspension_ends_an_open_session_and_a_new_login_shows_why(csrf, member):
    account = enter(member)
    login = open_account(account)["login"]
    log_in(csrf, login, PASSWORD)
    assert here(csrf) == 200
    move(member, account, "suspend", reason="Poste supprimé.")
    assert here(csrf) == 302
    log_in(csrf, login, PASSWORD)
    page = csrf.get("/dinamis/me")
    assert "Poste supprimé." in page.body


def test_a_session_that_began_later_lives(csrf, member):
    account = enter(member)
    login = open_account(account)["login"]
    move(member, account, "suspend", reason="Essai.")
    log_in(csrf, login, PASSWORD)
    assert [here(csrf) for _turn in range(3)] == [200, 200, 200]
    assert model.Session.query(SessionEnd).count() == 1


def test_others_are_not_touched(csrf, member):
    first, second = enter(member), enter(member, email="b@begles.example", given_name="B")
    open_account(first)
    login = open_account(second)["login"]
    log_in(csrf, login, PASSWORD)
    move(member, first, "close", reason="Essai.")
    assert here(csrf) == 200


@pytest.mark.parametrize("transition", ["suspend", "close"])
def test_tokens_end_with_the_session(app, member, transition):
    account = enter(member)
    login = open_account(account)["login"]
    made = call_action("api_token_create", {"user": login, "ignore_auth": True}, user=login, name="script")
    headers = {"Authorization": made["token"]}
    url = "/api/3/action/dinamis_account_mine"
    forget()
    assert app.get(url, headers=headers).json["result"]["count"] == 1
    move(member, account, transition, reason="Essai.")
    forget()
    assert app.get(url, headers=headers, expect_errors=True).status_code == 403


class TestPasswordReset:
    """CKAN lets a pending user become active by a reset: that way round a request is closed."""

    def pending(self, email):
        user = model.User.get(factories.User(email=email)["id"])
        user.state, user.reset_key = "pending", make_key()
        model.Session.commit()
        return user

    def try_reset(self, client, user):
        page = client.get("/user/reset")
        client.post("/user/reset", data={"user": user.email, "_csrf_token": token_of(page)})
        user = model.User.get(user.id)
        address = f"/user/reset/{user.id}?key={user.reset_key}"
        data = {"password1": PASSWORD, "password2": PASSWORD, "_csrf_token": token_of(page)}
        answer = client.post(address, data=data, expect_errors=True)
        model.Session.expire_all()
        return answer.status_code

    def test_it_would_work_without_a_request(self, csrf, member):
        user = self.pending("libre@begles.example")
        self.try_reset(csrf, user)
        assert model.User.get(user.id).state == "active"

    def test_under_review_it_is_refused(self, csrf, member):
        user = self.pending("noa@begles.example")
        account = enter(member, "referent", email="NOA@begles.example")
        assert self.try_reset(csrf, user) == 403
        assert model.User.get(user.id).state == "pending"
        assert not model.User.get(user.id).validate_password(PASSWORD)
        move(member, account, "refuse", reason="Inconnue de la structure.")
        page = csrf.get("/user/login")
        answer = csrf.post("/user/login", data={"login": user.name, "password": PASSWORD,
                                                "_csrf_token": token_of(page)})  # fmt: skip
        assert "account authed" not in answer.body

    def test_who_holds_an_account_elsewhere_may_reset(self, csrf, member):
        account = enter(member)
        open_account(account)
        user = model.User.get(account["user_id"])
        other = factories.Organization()
        from ckanext.dinamis_relais.accounts.model import Account

        row = model.Session.get(Account, account["id"])
        values = {c.name: getattr(row, c.name) for c in Account.__table__.columns}
        values |= {"id": "second", "organization_id": other["id"], "state": "requested", "user_id": None}
        model.Session.add(Account(**values))
        user.reset_key = make_key()
        model.Session.commit()
        assert self.try_reset(csrf, user) == 200

    def test_a_request_has_no_user_that_could_be_reset(self, csrf, member):
        enter(member, "referent", email="noa@begles.example")
        page = csrf.get("/user/reset")
        csrf.post("/user/reset", data={"user": "noa@begles.example", "_csrf_token": token_of(page)})
        assert not model.Session.query(model.User).filter_by(email="noa@begles.example").count()


def test_without_a_csrf_token_nothing_changes(csrf, member):
    account = enter(member)
    path = link_of(account["email"]).partition("//")[2].partition("/")[2]
    answer = csrf.post(f"/{path}", data={"charter": "1", "password": PASSWORD}, expect_errors=True)
    assert answer.status_code == 400
    assert not model.User.get(account["user_id"]).validate_password(PASSWORD)


def test_a_call_with_an_api_token_does_not_open_the_page_to_forged_forms(csrf, member):
    """CKAN 2.12.0 exempts a view for everybody once a call to it bore a token."""
    account = enter(member)
    path = "/" + link_of(account["email"]).partition("//")[2].partition("/")[2]
    made = call_action("api_token_create", {"user": member.outsider["name"], "ignore_auth": True},
                       user=member.outsider["name"], name="script")  # fmt: skip
    csrf.post(path, data={}, headers={"Authorization": made["token"]}, expect_errors=True)
    answer = csrf.post(path, data={"charter": "1", "password": PASSWORD}, expect_errors=True)
    assert answer.status_code == 400
    assert not model.User.get(account["user_id"]).validate_password(PASSWORD)
