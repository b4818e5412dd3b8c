"""The signing service and its identity provider, spoken to as the real ones are."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from flask import Flask

from ckanext.dinamis_relais.sandbox import identity, objects, scenes, signing
from ckanext.dinamis_relais.sandbox.signatures import LONGEST_SECONDS

SECRET = "secret of the test"
HREF = next(iter(scenes.items(1, "http://localhost/objects")))["assets"]["MS"]["href"]
TOKEN, DEVICE = f"{identity.OIDC}/token", f"{identity.OIDC}/auth/device"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def app(tmp_path) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(signing.blueprint(SECRET, tmp_path / "keys.sqlite3"))
    app.register_blueprint(objects.blueprint(SECRET, tmp_path / "cache", scenes))
    return app


@pytest.fixture
def client(app):
    return app.test_client()


def begin(client) -> dict:
    return client.post(DEVICE, data={"client_id": "gdal", "scope": "openid offline_access"}).json


def poll(client, device: dict):
    return client.post(TOKEN, data={"client_id": "gdal", "grant_type": GRANT, "device_code": device["device_code"]})


def approve(client, device: dict, **form: str):
    return client.post("/identity/device", data={"user_code": device["user_code"], "name": "jeanne", **form})


def tokens(client, name: str = "jeanne") -> dict:
    device = begin(client)
    approve(client, device, name=name)
    return poll(client, device).json


def bearer(client, name: str = "jeanne") -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens(client, name)['access_token']}"}


def key(client, headers: dict[str, str], description: str = "essai") -> dict[str, str]:
    return client.get("/signing/create_api_key", query_string={"description": description}, headers=headers).json


def test_device_flow_from_the_code_to_the_person(client):
    device = begin(client)
    assert {"verification_uri_complete", "device_code", "expires_in", "interval"} <= set(device)
    waiting = poll(client, device)
    assert (waiting.status_code, waiting.json["error"]) == (400, "authorization_pending")
    page = urlsplit(device["verification_uri_complete"])
    shown = client.get(f"{page.path}?{page.query}")
    assert device["user_code"] in shown.text
    assert poll(client, device).json["error"] == "authorization_pending"
    assert "jeanne" in approve(client, device).text
    found = poll(client, device).json
    assert {"access_token", "expires_in", "refresh_token", "refresh_expires_in"} <= set(found)
    claims = client.get(f"{identity.OIDC}/userinfo", headers={"Authorization": f"Bearer {found['access_token']}"})
    assert claims.json["preferred_username"] == "jeanne"
    assert poll(client, device).json["error"] == "expired_token"


def test_refusal_of_the_person(client):
    device = begin(client)
    assert "refusé" in approve(client, device, answer="no").text
    assert poll(client, device).json["error"] == "access_denied"


@pytest.mark.parametrize(
    "form", [{"name": " "}, {"name": "x" * 61}, {"user_code": "XXXX-XXXX"}, {"user_code": ""}, {"name": ""}]
)
def test_page_says_what_is_wrong_and_changes_nothing(client, form):
    device = begin(client)
    answer = approve(client, device, **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert poll(client, device).json["error"] == "authorization_pending"


def test_page_is_french_labelled_and_escapes(client):
    page = client.get("/identity/device", query_string={"user_code": "<script>"}).text
    assert '<html lang="fr">' in page
    assert "Bac à sable : ceci n'est pas DINAMIS" in page
    assert "<script>" not in page.lower()
    for field in re.findall(r'<input id="(\w+)"', page):
        assert f'<label for="{field}">' in page


def test_code_typed_in_small_letters_is_understood(client):
    device = begin(client)
    assert approve(client, device, user_code=f" {device['user_code'].lower()} ").status_code == 200


def test_refresh_gives_new_tokens_of_the_same_person(client):
    first = tokens(client)
    second = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}).json
    assert second["access_token"] != first["access_token"]
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.get(f"{identity.OIDC}/userinfo", headers=headers).json["preferred_username"] == "jeanne"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "no"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": GRANT, "device_code": "no"}, "expired_token"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_token_endpoint_refuses(client, form, error):
    answer = client.post(TOKEN, data=form)
    assert (answer.status_code, answer.json["error"]) == (400, error)


def test_tokens_and_codes_end(client, monkeypatch):
    found, device = tokens(client), begin(client)
    later = time.time() + 700
    monkeypatch.setattr("time.time", lambda: later)
    headers = {"Authorization": f"Bearer {found['access_token']}"}
    assert client.get(f"{identity.OIDC}/userinfo", headers=headers).status_code == 401
    assert poll(client, device).json["error"] == "expired_token"
    answer = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": found["refresh_token"]})
    assert answer.status_code == 200


def test_openapi_says_where_tokens_come_from(client):
    body = client.get("/signing/openapi.json").json
    flow = body["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]
    assert flow["tokenUrl"] == f"http://localhost{TOKEN}"
    assert client.post(flow["tokenUrl"].removesuffix("/token") + "/auth/device", data={"client_id": "gdal"}).json


def test_key_signs_an_address_that_the_object_store_opens(client):
    pair = key(client, bearer(client))
    assert set(pair) == {"access-key", "secret-key"}
    answer = client.post("/signing/sign_urls", json={"urls": [HREF]}, headers=pair).json
    assert set(answer) == {"expiry", "hrefs"}
    left = dt.datetime.fromisoformat(answer["expiry"]) - dt.datetime.now(dt.timezone.utc)
    assert dt.timedelta(hours=7, minutes=59) < left <= dt.timedelta(hours=8)
    assert client.get(HREF).status_code == 403
    assert client.get(answer["hrefs"][HREF]).status_code == 200
    assert client.get(answer["hrefs"][HREF].replace("Expires=28800", "Expires=99999")).status_code == 403


def test_bearer_signs_for_the_time_that_is_asked(client):
    body = {"urls": [HREF, HREF + "?a=b"], "duration_seconds": LONGEST_SECONDS}
    answer = client.post("/signing/sign_urls", json=body, headers=bearer(client)).json
    assert "X-Amz-Expires=518400" in answer["hrefs"][HREF]
    assert set(answer["hrefs"]) == set(body["urls"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer no"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YTpi"},
        {"access-key": "no", "secret-key": "no"},
    ],
)
def test_nothing_without_a_key_or_a_token(client, headers):
    answer = client.post("/signing/sign_urls", json={"urls": [HREF]}, headers=headers)
    assert (answer.status_code, answer.json) == (401, {"detail": "Not authenticated"})
    for call in ("create_api_key", "list_api_keys_with_metadata", "revoke_api_key"):
        assert client.get(f"/signing/{call}", headers=headers).status_code == 401


def test_half_a_key_or_a_key_where_a_token_is_wanted(client):
    pair = key(client, bearer(client))
    half = {"access-key": pair["access-key"], "secret-key": "no"}
    assert client.post("/signing/sign_urls", json={"urls": [HREF]}, headers=half).status_code == 401
    assert client.get("/signing/list_api_keys_with_metadata", headers=pair).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"urls": []},
        {"urls": HREF},
        {"urls": [1]},
        {"urls": [HREF] * 65},
        {"urls": ["https://example.org/objects/a.tif"]},
        {"urls": ["http://localhost@example.org/a.tif"]},
        {"urls": ["http://[broken"]},
        {"urls": ["ftp://localhost/a.tif"]},
        {"urls": [HREF], "duration_seconds": 0},
        {"urls": [HREF], "duration_seconds": "60"},
        {"urls": [HREF], "duration_seconds": True},
        {"urls": [HREF], "duration_seconds": LONGEST_SECONDS + 1},
    ],
)
def test_requests_that_cannot_be_signed(client, body):
    answer = client.post("/signing/sign_urls", json=body, headers=bearer(client))
    assert answer.status_code == 422
    assert re.match(r"(urls|duration_seconds): ", answer.json["detail"])


def test_sixty_four_addresses_are_signed_at_once(client):
    urls = [f"{HREF}?{number}" for number in range(64)]
    answer = client.post("/signing/sign_urls", json={"urls": urls, "duration_seconds": None}, headers=bearer(client))
    assert len(answer.json["hrefs"]) == 64


def test_a_person_lists_and_revokes_own_keys_only(client):
    jeanne, paul = bearer(client), bearer(client, "paul")
    pairs = [key(client, jeanne, "bureau"), key(client, jeanne, "maison"), key(client, paul)]
    listed = client.get("/signing/list_api_keys_with_metadata", headers=jeanne).json
    assert [one["description"] for one in listed] == ["bureau", "maison"]
    assert all(set(one) == {"created", "access-key", "description"} for one in listed)

    def revoke(pair, headers):
        query = {"access_key": pair["access-key"]}
        return client.get("/signing/revoke_api_key", query_string=query, headers=headers).status_code

    assert revoke(pairs[0], paul) == 404
    assert revoke(pairs[0], jeanne) == 200
    assert revoke(pairs[0], jeanne) == 404
    assert client.post("/signing/sign_urls", json={"urls": [HREF]}, headers=pairs[0]).status_code == 401
    assert client.post("/signing/sign_urls", json={"urls": [HREF]}, headers=pairs[1]).status_code == 200


def test_store_outlives_the_process_and_holds_no_secret_in_clear(client, tmp_path):
    found = tokens(client)
    headers = {"Authorization": f"Bearer {found['access_token']}"}
    pair = key(client, headers)
    again = Flask("again")
    again.register_blueprint(signing.blueprint(SECRET, tmp_path / "keys.sqlite3"))
    answer = again.test_client().post("/signing/sign_urls", json={"urls": [HREF]}, headers=pair)
    assert answer.status_code == 200
    dump = "\n".join(sqlite3.connect(tmp_path / "keys.sqlite3").iterdump())
    for secret in (found["access_token"], found["refresh_token"], pair["secret-key"]):
        assert secret not in dump


def test_one_code_gives_tokens_once_to_many_who_ask_together(app):
    client = app.test_client()
    device = begin(client)
    approve(client, device)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: poll(app.test_client(), device).status_code, range(8)))
    assert sorted(answers) == [200] + [400] * 7
