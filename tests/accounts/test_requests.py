"""A person asks for an account: the address is proven, nothing is told about who is known, nothing is left behind."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts import links
from ckanext.dinamis_relais.accounts.model import Account, AccountLink
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import context_of, enter, move, open_account, token_to

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

EMAIL = "noa@begles.example"


def ask(people, name="", **more):
    data = {"organization_id": people.organization["id"], "email": EMAIL, "given_name": "Noa",
            "family_name": "Exemple", "purpose": "Îlots de chaleur", **more}  # fmt: skip
    return call_action("dinamis_account_request", context_of(name), **data)


def confirm(email=EMAIL, name=""):
    token = token_to(email, "account_request_confirm")
    return call_action("dinamis_account_request_confirm", context_of(name), token=token)


def accounts():
    model.Session.expire_all()
    return model.Session.query(Account).all()


def test_nothing_is_asked_before_the_address_is_proven(member):
    ask(member)
    assert accounts() == []
    confirm()
    (row,) = accounts()
    assert (row.state, row.origin, row.user_id, row.purpose) == ("requested", "person", None, "Îlots de chaleur")
    assert row.email_verified_at is not None
    assert model.Session.query(AccountLink).one().fields is None, "what was typed is kept once"


def test_only_the_hash_of_the_token_is_kept(member):
    ask(member)
    token = token_to(EMAIL)
    link = model.Session.query(AccountLink).one()
    assert token not in (link.token_hash, link.id)
    assert token not in model.Session.query(Mail).filter_by(recipient=EMAIL).one().body


def test_replayed_tampered_with_and_expired(member):
    ask(member)
    token = token_to(EMAIL)
    with pytest.raises(tk.ObjectNotFound):
        call_action("dinamis_account_request_confirm", context_of(""), token=f"{token[:-1]}A"[::-1])
    confirm()
    with pytest.raises(tk.ValidationError) as raised:
        confirm()
    assert "token" in raised.value.error_dict
    assert len(accounts()) == 1
    ask(member, email="autre@begles.example")
    model.Session.query(AccountLink).update({"expires_at": utcnow() - dt.timedelta(seconds=1)})
    model.Session.commit()
    with pytest.raises(tk.ValidationError):
        confirm("autre@begles.example")
    links.wipe_old()
    model.Session.commit()
    assert model.Session.query(AccountLink).filter_by(email="autre@begles.example").count() == 0


def test_the_answer_does_not_tell_whether_an_address_is_known(member):
    known = enter(member, email=EMAIL)
    model.Session.query(Mail).delete()
    model.Session.commit()
    assert ask(member) == {"sent": True, "email": EMAIL}
    assert ask(member, email="inconnue@begles.example") == {"sent": True, "email": "inconnue@begles.example"}
    assert model.Session.query(Mail).filter_by(name="account_request_confirm").count() == 2
    with pytest.raises(tk.ValidationError) as raised:
        confirm()
    assert known["email"] in raised.value.error_dict["email"][0], "who has proven the address is told"


def test_the_confirming_login_is_the_person_and_gets_the_place_on_validation(member):
    ask(member, email="alex.pro@begles.example")
    confirm("alex.pro@begles.example", member.outsider["name"])
    (row,) = accounts()
    assert row.user_id == member.outsider["id"]
    before = model.Session.query(model.User).count()
    done = move(member, {"id": row.id}, "validate")
    assert model.Session.query(model.User).count() == before
    assert done["user_id"] == member.outsider["id"]
    model.Session.expunge_all()
    assert member.organization["id"] in model.User.get(member.outsider["id"]).get_group_ids("organization")


def test_an_address_is_not_flooded(member, ckan_config):
    for _turn in range(int(ckan_config.get("ckanext.dinamis_relais.requests_per_address", 3)) + 2):
        assert ask(member)["sent"]
    assert model.Session.query(Mail).filter_by(recipient=EMAIL).count() == 3


def test_one_place_of_the_network_does_not_ask_for_ever(app, member, monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.requests_per_client", 2)
    form = {"organization": member.organization["title"], "given_name": "A", "family_name": "B"}
    pages = [app.post("/dinamis/accounts/request", data={**form, "email": f"p{n}@begles.example"}) for n in range(4)]
    assert model.Session.query(AccountLink).count() == 2
    assert all(page.status_code == 200 for page in pages)


def test_only_members_are_asked_for(people):
    with pytest.raises(tk.ValidationError) as raised:
        ask(people)
    assert list(raised.value.error_dict) == ["organization_id"]


def test_the_pages(app, member):
    asked = app.post(
        "/dinamis/accounts/request",
        data={"organization": "bègles", "given_name": "Noa", "family_name": "Exemple", "email": EMAIL},
    )
    assert EMAIL in asked.body
    page = f"/dinamis/accounts/request/{token_to(EMAIL)}"
    answer = app.get(page)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == (
        "private, no-store",
        "strict-origin",
    )
    assert accounts() == [], "a link that is only opened (by a mail scanner) confirms nothing"
    app.post(page)
    assert [row.state for row in accounts()] == ["requested"]
    assert app.get("/dinamis/accounts/request/nothing", expect_errors=True).status_code == 404


def test_a_name_that_fits_none_or_several_is_told(app, member):
    form = {"organization": "Atlantide", "given_name": "A", "family_name": "B", "email": EMAIL}
    assert "Atlantide" in app.post("/dinamis/accounts/request", data=form).body
    assert model.Session.query(AccountLink).count() == 0


def test_self_registration_leads_to_the_request(app, member):
    answer = app.get("/user/register", follow_redirects=False)
    assert answer.headers["Location"].endswith("/dinamis/accounts/request")
    assert "/dinamis/accounts/request" in app.get("/user/login").body


@pytest.mark.ckan_config("ckanext.dinamis_relais.keep_registration", "true")
def test_the_operator_may_keep_it(app, member):
    answer = app.get("/user/register", follow_redirects=False, expect_errors=True)
    assert "/dinamis/accounts/request" not in answer.headers.get("Location", "")


def test_a_person_who_changes_organisation_keeps_login_and_history(member):
    first = enter(member, email=EMAIL)
    login = open_account(first)["login"]
    move(member, first, "close", reason="A changé de commune.")
    again = enter(member, email=EMAIL)
    assert again["user_id"] == model.User.get(login).id
    mine = call_action("dinamis_account_mine", context_of(login))["results"]
    assert [account["state"] for account in mine] == ["validated", "closed"]
