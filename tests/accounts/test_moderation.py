"""Two moderators, dormant accounts, a referent who left; and the pages on which it is done."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.model import Application
from tests.accounts.helpers import enter, forget, move, open_account
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


@pytest.fixture
def pigma(app, member):
    """The people, and the super-référent's browser: ``get`` and ``post``."""
    name = member.super_referent["name"]
    token = call_action("api_token_create", {"ignore_auth": True, "user": name}, user=name, name="t")["token"]

    def call(method):
        def asked(url, headers=None, **more):
            forget()
            return getattr(app, method)(url, headers={"Authorization": token, **(headers or {})}, **more)

        return asked

    member.get, member.post = call("get"), call("post")
    return member


def listed(people, **params):
    return call_action("dinamis_account_list", people.context("super_referent"), **params)


def validate(people, account, **more):
    data = {"id": account["id"], "transition": "validate", **more}
    return call_action("dinamis_account_transition", people.context("super_referent"), **data)


class TestTwoModerators:
    def test_the_second_is_told_who_was_first_and_nothing_is_done_twice(self, member):
        account = enter(member, "referent")
        move(member, account, "validate", seen=account["state_since"])
        row = model.Session.get(Account, account["id"])
        row.state_since += dt.timedelta(seconds=2)  # the clock of a test is faster than a person
        model.Session.commit()
        with pytest.raises(tk.ValidationError) as raised:
            move(member, account, "validate", seen=account["state_since"])
        assert member.super_referent["fullname"] in raised.value.error_dict["seen"][0]
        assert model.Session.query(Mail).filter_by(name="account_invitation").count() == 1

    def test_validated_with_another_role(self, member):
        account = enter(member, "referent")
        assert validate(member, account, role="referent")["role"] == "referent"
        other = enter(member, "referent", email="b@begles.example")
        with pytest.raises(tk.ValidationError):
            validate(member, other, role="chef")


class TestSignals:
    def test_what_is_shown_to_the_moderator_and_to_nobody_else(self, member):
        enter(member, email="a@begles.example", given_name="Lou")
        asked = enter(member, "referent", email="lou@beg1es.example")
        assert asked["signals"] == []
        (shown,) = listed(member, state="requested")["results"]
        assert [s["kind"] for s in shown["signals"]] == ["lookalike_domain", "same_name"]

    def test_earlier_refusals_and_accounts_elsewhere(self, member):
        for _turn in range(2):
            move(member, enter(member, "referent"), "refuse", reason="Inconnue.")
        enter(member, "referent")
        (shown,) = listed(member, state="requested")["results"]
        assert {"kind": "earlier_refusals", "level": "bad", "values": {"number": 2}} in shown["signals"]

    def test_a_page_of_accounts_costs_the_same_queries_whatever_its_length(self, member):
        from sqlalchemy import event

        def cost():
            count = []
            engine = model.meta.engine
            hear = lambda *args: count.append(args[2])  # noqa: E731
            event.listen(engine, "before_cursor_execute", hear)
            listed(member, state="requested", limit=50)
            event.remove(engine, "before_cursor_execute", hear)
            return len(count)

        enter(member, "referent", email="p0@begles.example", given_name="P0")
        few = cost()
        for number in range(1, 12):
            enter(member, "referent", email=f"p{number}@begles.example", given_name=f"P{number}")
        assert cost() == few


class TestDormant:
    def sleep(self, account, days=400):
        row = model.Session.get(Account, account["id"])
        row.validated_at = utcnow() - dt.timedelta(days=days)
        model.Session.commit()

    def test_proposed_and_kept_and_never_closed_silently(self, member):
        account = enter(member)
        assert listed(member)["dormant"] == 0
        self.sleep(account)
        found = listed(member, dormant=True)
        assert (found["dormant"], found["count"], found["results"][0]["dormant"]) == (1, 1, True)
        from ckanext.dinamis_relais.accounts.ending import expire_due

        expire_due()
        assert model.Session.get(Account, account["id"]).state == "validated"
        call_action("dinamis_account_keep", member.context("super_referent"), id=account["id"])
        assert listed(member)["dormant"] == 0

    def test_who_came_is_not_dormant(self, member):
        account = enter(member)
        self.sleep(account)
        user = model.User.get(account["user_id"])
        user.last_active = dt.datetime.utcnow()
        model.Session.commit()
        assert listed(member)["dormant"] == 0

    @pytest.mark.ckan_config("ckanext.dinamis_relais.dormant_days", "0")
    def test_zero_is_never(self, member):
        self.sleep(enter(member))
        assert listed(member)["dormant"] == 0


class TestReplacement:
    def replace(self, people, account, successor, **more):
        return call_action("dinamis_account_replace", people.context("super_referent"), id=account["id"],
                           successor_id=successor["id"], **more)  # fmt: skip

    def referent(self, people):
        data = {"email": "ref@begles.example", "given_name": "Ré", "family_name": "Férent", "role": "referent"}
        return call_action("dinamis_account_create", people.context("super_referent"),
                           organization_id=people.organization["id"], **data)  # fmt: skip

    def test_in_one_step(self, member):
        leaving, successor = self.referent(member), enter(member)
        open_account(leaving)
        waiting = call_action(
            "dinamis_account_create",
            {"user": leaving["login"], "auth_user_obj": model.User.get(leaving["login"]), "model": model},
            organization_id=member.organization["id"], email="w@begles.example", given_name="W", family_name="X",
        )  # fmt: skip
        done = self.replace(member, leaving, successor, reason="Partie à la retraite.")
        assert (done["account"]["state"], done["successor"]["role"]) == ("closed", "referent")
        assert (done["files"], done["requests"]) == (1, 1)
        model.Session.expire_all()
        assert model.Session.query(Application).one().referent["email"] == successor["email"]
        assert model.Session.get(Account, waiting["id"]).created_by == successor["user_id"]
        grants = call_action("dinamis_role_list", member.context("super_referent"), q="referent")["results"]
        holders = {g["user_id"] for g in grants}
        assert successor["user_id"] in holders
        assert leaving["user_id"] not in holders
        assert "Partie à la retraite." in model.Session.query(Mail).filter_by(name="account_closed").one().body
        assert journalled().filter_by(event="account.handed_over").count() == 1

    def test_who_cannot(self, member):
        leaving, person = self.referent(member), enter(member)
        for row, successor, field in ((person, leaving, "id"), (leaving, leaving, "successor_id")):
            with pytest.raises(tk.ValidationError) as raised:
                self.replace(member, row, successor)
            assert list(raised.value.error_dict) == [field]
        move(member, person, "suspend", reason="Essai.")
        with pytest.raises(tk.ValidationError):
            self.replace(member, leaving, person)


class TestPages:
    def test_the_decision_in_the_row(self, pigma):
        account = enter(pigma, "referent")
        url = f"/dinamis/moderation/accounts/{account['id']}/transition"
        data = {"transition": "validate", "from": "queue", "role": "member", "seen": account["state_since"]}
        part = pigma.post(url, data=data, headers={"HX-Request": "true"})
        assert part.body.lstrip().startswith("<tr")
        assert 'role="status"' in part.body
        again = pigma.post(url, data={"transition": "validate"}, headers={"HX-Request": "true"})
        assert 'role="alert"' in again.body

    def test_without_javascript_it_comes_back_to_the_same_filter(self, pigma):
        account = enter(pigma, "referent")
        answer = pigma.post(
            f"/dinamis/moderation/accounts/{account['id']}/transition",
            data={"transition": "validate", "from": "queue", "back_state": "requested", "back_q": "lou"},
            follow_redirects=False,
        )
        assert answer.headers["Location"].endswith("/dinamis/moderation/accounts?state=requested&q=lou")

    def test_each_page_opens(self, pigma):
        account, over = enter(pigma), enter(pigma, email="b@begles.example")
        move(pigma, over, "close", reason="Essai.")
        base = "/dinamis/moderation/accounts"
        one = account["id"]
        for path in ("", "?dormant=1", "?q=lou&state=validated", f"/{one}", f"/{over['id']}", f"/{one}/edit",
                     "/import", "/import/example.csv", f"/confirm?transition=suspend&ids={one}",
                     "/confirm?transition=close&all=1&q=lou"):  # fmt: skip
            assert pigma.get(base + path).status_code == 200, path

    def test_the_confirmation_names_the_effect_and_who_is_left_out(self, pigma):
        first, second = enter(pigma), enter(pigma, "referent", email="b@begles.example", given_name="Béa")
        page = pigma.get(
            f"/dinamis/moderation/accounts/confirm?transition=suspend&ids={first['id']}&ids={second['id']}"
        )
        assert first["email"] in page.body
        assert second["email"] not in page.body
        nothing = pigma.get("/dinamis/moderation/accounts/confirm?transition=suspend", follow_redirects=False)
        assert nothing.status_code == 302

    def test_correcting_by_the_form(self, pigma):
        account = enter(pigma)
        url = f"/dinamis/moderation/accounts/{account['id']}/edit"
        form = {"given_name": "Lou", "family_name": "Exemple", "email": "juste@begles.example", "role": "referent"}
        pigma.post(url, data=form)
        row = model.Session.get(Account, account["id"], populate_existing=True)
        assert (row.email, row.role) == ("juste@begles.example", "referent")
        wrong = pigma.post(url, data={**form, "email": "nulle part"})
        assert "nulle part" in wrong.body
        assert "is-invalid" in wrong.body
