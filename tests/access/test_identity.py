"""Linking a DINAMIS login: by consent and by keys; kept encrypted, renewed, ended with the account."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from cryptography.fernet import Fernet

from ckanext.dinamis_relais.access import links
from ckanext.dinamis_relais.access.model import DeviceCode, IdentityLink
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.secrets import decrypt, encrypt
from tests.accounts.helpers import move
from tests.journalled import journalled

from .conftest import PREFIX, accept, act, link

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    # What is said is looked at in English, the language of the code; the French is looked at by tests of its own.
    pytest.mark.ckan_config("ckan.locale_default", "en"),
]


def row_of(person) -> Any:
    model.Session.expire_all()
    return model.Session.get(IdentityLink, person.id)


def problem(person, action, field, **data):
    with pytest.raises(tk.ValidationError) as caught:
        act(person.name, action, **data)
    return str(caught.value.error_dict[field])


def test_device_flow_from_the_code_to_the_name(person):
    begun = act(person.name, "dinamis_identity_link_start")
    assert begun["page"].startswith(person.service.url)
    assert act(person.name, "dinamis_identity_link_finish")["state"] == "pending"
    assert act(person.name, "dinamis_identity_link_show")["user_code"] == begun["user_code"]
    person.service.approve(begun["user_code"], "jeanne")
    found = act(person.name, "dinamis_identity_link_finish")
    assert (found["state"], found["kind"], found["username"]) == ("linked", "device", "jeanne")
    assert model.Session.get(DeviceCode, person.id) is None
    assert act(person.name, "dinamis_identity_link_finish")["state"] == "linked"


def test_refusal_links_nothing_and_says_so(person):
    begun = act(person.name, "dinamis_identity_link_start")
    person.service.approve(begun["user_code"], answer="no")
    assert "Nothing was linked" in problem(person, "dinamis_identity_link_finish", "identity")
    assert act(person.name, "dinamis_identity_link_show") == {"state": "none"}


def test_code_whose_time_is_over(person):
    act(person.name, "dinamis_identity_link_start")
    waiting: Any = model.Session.get(DeviceCode, person.id)
    waiting.expires_at = utcnow() - dt.timedelta(seconds=1)
    model.Session.commit()
    assert "time is over" in problem(person, "dinamis_identity_link_finish", "identity")
    assert act(person.name, "dinamis_identity_link_show") == {"state": "none"}


def test_key_pair_is_tried_before_it_is_kept(person):
    pair = person.service.key()
    wrong = {**pair, "secret_key": "wrong"}
    assert "does not know" in problem(person, "dinamis_identity_link_finish", "access_key", **wrong)
    assert row_of(person) is None
    assert act(person.name, "dinamis_identity_link_finish", **pair)["kind"] == "keys"


def test_key_with_a_line_break_never_becomes_a_header(person):
    said = problem(person, "dinamis_identity_link_finish", "secret_key", access_key="a", secret_key="b\r\nX: 1")
    assert "Copy the key" in said
    assert person.service.signed() == 0


def test_only_a_person_with_an_active_account_links(person):
    other = person.people.outsider["name"]
    with pytest.raises(tk.ValidationError) as caught:
        act(other, "dinamis_identity_link_start")
    assert "active DINAMIS account" in str(caught.value.error_dict["account"])


def test_secrets_are_nowhere_in_clear(person):
    pair = person.service.key()
    act(person.name, "dinamis_identity_link_finish", **pair)
    lines = json.dumps([line.data for line in journalled()])
    stored = bytes(row_of(person).secret)
    for secret in pair.values():
        assert secret not in lines
        assert secret.encode() not in stored
        assert secret not in json.dumps(act(person.name, "dinamis_identity_link_show"))
        assert secret not in json.dumps(act(person.name, "dinamis_personal_data_export"))


def test_token_is_renewed_before_its_end_and_only_once(ready):
    row = row_of(ready)
    secret = decrypt(row.secret) | {"access_until": (utcnow() + dt.timedelta(seconds=30)).isoformat()}
    row.secret = encrypt(secret)
    model.Session.commit()
    act(ready.name, "dinamis_asset_sign", urls=ready.hrefs[:1])
    renewed = decrypt(row_of(ready).secret)
    assert renewed["access"] != secret["access"]
    assert row_of(ready).version == 2
    act(ready.name, "dinamis_asset_sign", urls=ready.hrefs[1:2])
    assert row_of(ready).version == 2


def test_login_that_dinamis_refuses_is_to_be_linked_again(ready):
    ready.service.refusals = [(401, {})]
    assert "Link it again" in problem(ready, "dinamis_asset_sign", "identity", urls=ready.hrefs[:1])
    assert act(ready.name, "dinamis_identity_link_show")["state"] == "refused"
    assert act(ready.name, "dinamis_download_rights", collection="x")["step"] == "identity_refused"
    assert link(ready)["state"] == "linked"
    assert act(ready.name, "dinamis_asset_sign", urls=ready.hrefs[:1])["hrefs"]


def test_logins_near_their_end_are_renewed_by_the_worker(ready):
    row = row_of(ready)
    row.expires_at = utcnow() + dt.timedelta(days=1)
    model.Session.commit()
    assert links.renew_soon() == 1
    assert row_of(ready).expires_at > utcnow() + dt.timedelta(days=20)
    assert links.renew_soon() == 0


def test_unlinked_by_the_person(ready):
    assert act(ready.name, "dinamis_identity_link_delete") == {"state": "none"}
    assert row_of(ready) is None
    assert "Link your DINAMIS login" in problem(ready, "dinamis_asset_sign", "identity", urls=ready.hrefs[:1])


def test_suspension_unlinks_at_once(ready):
    account = model.Session.query(Account).one()
    move(ready.people, {"id": account.id}, "suspend", reason="Vérification")
    assert row_of(ready) is None
    event = journalled().filter_by(event="identity.unlinked").one()
    assert event.data["cause"] == "account_ended"
    assert "active DINAMIS account" in problem(ready, "dinamis_asset_sign", "account", urls=ready.hrefs[:1])


def test_suspension_ends_a_link_under_way(person):
    begun = act(person.name, "dinamis_identity_link_start")
    person.service.approve(begun["user_code"])
    account = model.Session.query(Account).one()
    move(person.people, {"id": account.id}, "suspend", reason="Vérification")
    move(person.people, {"id": account.id}, "resume")
    account.state = "active"
    model.Session.commit()
    assert "No link is under way" in problem(person, "dinamis_identity_link_finish", "identity")


def test_old_key_may_be_dropped_after_rotation(ready, ckan_config, monkeypatch):
    old = list(ckan_config[PREFIX + "secret_keys"])
    new = Fernet.generate_key().decode()
    monkeypatch.setitem(ckan_config, PREFIX + "secret_keys", [new, *old])
    assert links.encrypt_anew() == 1
    monkeypatch.setitem(ckan_config, PREFIX + "secret_keys", [new])
    assert decrypt(row_of(ready).secret)["access"]


def test_service_that_is_down_is_told_and_nothing_is_lost(person, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, PREFIX + "signing.url", "http://127.0.0.1:9/signing")
    assert "does not answer" in problem(person, "dinamis_identity_link_start", "service")
    assert act(person.name, "dinamis_identity_link_show") == {"state": "none"}


def test_private_network_is_never_called(person, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, PREFIX + "private_hosts", [])
    assert "https only" in problem(person, "dinamis_identity_link_start", "service")


def test_personal_data_tells_the_login_and_erasure_forgets_it(ready):
    act(ready.name, "dinamis_basket_add", collection=ready.items[0]["collection"], id=ready.items[0]["id"])
    act(ready.name, "dinamis_asset_sign", urls=ready.hrefs[:1])
    held = act(ready.name, "dinamis_personal_data_export")
    assert held["dinamis_logins"][0]["username"] == "jeanne"
    assert len(held["downloads"]) == len(held["basket"]) == 1
    assert held["licences"]
    from ckanext.dinamis_relais import access

    access.erase(ready.id, "system")
    model.Session.commit()
    assert access.held_on({ready.id}) == {"dinamis_logins": [], "licences": [], "downloads": [], "basket": []}


def test_licence_is_accepted_once_and_anew_for_a_new_version(person, ckan_config, monkeypatch, tmp_path):
    accept(person)
    accept(person)
    assert journalled().filter_by(event="licence.accepted").count() == 1
    from ckanext.dinamis_relais.access import licences

    text = licences.MODEL.read_text(encoding="utf-8")
    newer = text.replace("modele-1", "2").replace("2026-01-01", "2026-02-01")
    own = tmp_path / "licences.yaml"
    own.write_text(text + newer.split("- licence", 1)[1].join(["- licence", ""]), encoding="utf-8")
    monkeypatch.setitem(ckan_config, PREFIX + "image_licences", str(own))
    (one,) = act(person.name, "dinamis_licence_list")["results"]
    assert (one["version"], one["accepted"]) == ("2", False)
    with pytest.raises(tk.ValidationError) as caught:
        act(person.name, "dinamis_licence_accept", licence=one["licence"], version="modele-1")
    assert "changed meanwhile" in str(caught.value.error_dict["version"])
