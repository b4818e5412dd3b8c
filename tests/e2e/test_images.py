"""From a commune to an image on one's disk: link a DINAMIS login, accept the licence, download; no secret is left."""

from __future__ import annotations

import configparser
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa

from .conftest import DEMO, look, narrow, wait_for

LINK = re.compile(r"https?://\S+")
PASSWORD = "mot-de-passe-essai-1"


@pytest.fixture
def newcomer(people, demo, api, mails):
    """A person of Bègles whose account has just become active, on their own page."""
    email = f"images.{int(time.time())}@demo.example"
    account = api("super_referent", "dinamis_account_create", organization_id="commune-de-begles", email=email,
                  given_name="Noa", family_name="Images")  # fmt: skip
    page = people.visitor()
    page.goto(LINK.search(mails(email, "/dinamis/join/")["text"]).group(0))
    page.check("#charter")
    page.fill("#field-password", PASSWORD)
    page.click("form:has(#field-password) button[type=submit]")
    page.wait_for_selector(".account.authed")
    wait_for(lambda: api("super_referent", "dinamis_account_show", id=account["id"])["state"] == "active")
    return page


def scene(api: Any) -> dict[str, Any]:
    return api("member", "dinamis_scene_search", limit=1)["features"][0]


def test_from_a_scene_to_its_file(newcomer, demo, api):
    page, item = newcomer, scene(api)
    address = f"{demo['ckan_url']}/dinamis/images/{item['collection']}/{item['id']}"
    page.goto(address)
    look(page, "40-scene-not-linked")
    page.click("a[href*='/dinamis/me/identity']")
    page.click("form[action$='/start'] button")
    page.wait_for_selector("form[data-dinamis-wait]")
    look(page, "41-code")
    with page.context.expect_page() as opened:
        page.click("a[target=_blank]")
    consent = opened.value
    consent.fill("input[name=name]", "noa.images")
    consent.locator("button").first.click()
    # The page goes on by itself, back to the scene.
    page.wait_for_url(address + "*")
    page.click("a[href*='/dinamis/licences/']")
    look(page, "42-licence")
    page.check("#accept")
    page.click("form:has(#accept) button[type=submit]")
    page.wait_for_url(address + "*")
    page.select_option("select[name=theme]", "forest")
    look(page, "43-scene-ready")
    narrow(page, "43-scene-ready")
    with page.expect_download() as fetched:
        page.click("a[href*='/assets/']")
    assert fetched.value.path().read_bytes()[:2] == b"II"  # a little-endian TIFF
    page.click("form[action$='/basket/add'] button")
    page.goto(f"{demo['ckan_url']}/dinamis/me/basket")
    assert page.input_value("select[name=theme]") == "forest"
    look(page, "44-basket")
    narrow(page, "44-basket")
    with page.expect_download() as fetched:
        page.click("button[formaction$='/wget']")
    assert fetched.value.path().read_text().startswith("#!/bin/sh")
    page.goto(f"{demo['ckan_url']}/dinamis/me/downloads")
    assert page.locator("td", has_text="Forêt et haies").count() > 1
    look(page, "45-downloads")
    narrow(page, "45-downloads")
    page.goto(f"{demo['ckan_url']}/dinamis/me")
    look(page, "46-me")


def key_pair(sandbox: str) -> dict[str, str]:
    """A key pair that the sandbox gives a person."""
    oidc = f"{sandbox}/identity/realms/dinamis/protocol/openid-connect"
    begun = requests.post(f"{oidc}/auth/device", data={"client_id": "gdal"}, timeout=30).json()
    requests.post(f"{sandbox}/identity/device", data={"user_code": begun["user_code"], "name": "noa"}, timeout=30)
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "gdal"}
    token = requests.post(f"{oidc}/token", data={**grant, "device_code": begun["device_code"]}, timeout=30).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    return requests.get(f"{sandbox}/signing/create_api_key", headers=bearer, timeout=30).json()


def tables_with(word: str) -> list[str]:
    """Tables of the demonstration's CKAN that hold a word anywhere, in text or in bytes."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(DEMO.parent / "ckan.ini")
    engine = sa.create_engine(ini["app:main"]["sqlalchemy.url"])
    found = []
    with engine.connect() as connection:
        names = list(
            connection.execute(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        )
        for name in names:
            query = sa.text(f'SELECT count(*) FROM "{name}" AS t WHERE t::text LIKE :a OR t::text LIKE :b')
            hexed = word.encode().hex()
            if connection.execute(query, {"a": f"%{word}%", "b": f"%{hexed}%"}).scalar():
                found.append(name)
    engine.dispose()
    return found


def test_no_key_and_no_signed_link_stays_anywhere(newcomer, demo, api):
    page, item = newcomer, scene(api)
    pair = key_pair(demo["sandbox_url"])
    page.goto(f"{demo['ckan_url']}/dinamis/me/identity")
    page.click("summary")
    page.fill("#access_key", pair["access-key"])
    page.fill("#secret_key", "a-wrong-secret-key")
    page.click("form:has(#secret_key) button[type=submit]")
    look(page, "47-wrong-keys")
    assert "a-wrong-secret-key" not in page.content()
    page.fill("#secret_key", pair["secret-key"])
    page.click("form:has(#secret_key) button[type=submit]")
    page.wait_for_selector(".alert-success")
    look(page, "48-linked")
    page.goto(f"{demo['ckan_url']}/dinamis/licences")
    look(page, "49-licences")
    page.click("h2 a")
    page.check("#accept")
    page.click("form:has(#accept) button[type=submit]")
    page.wait_for_selector(".alert-success")
    key = next(iter(item["assets"]))
    address = f"{demo['ckan_url']}/dinamis/images/{item['collection']}/{item['id']}/assets/{key}"
    signed = page.request.get(address, max_redirects=0).headers["location"]
    secrets = [pair["secret-key"], parse_qs(urlsplit(signed).query)["X-Amz-Signature"][0]]
    logs = [path for path in (DEMO.parent / "log").iterdir() if not path.name.startswith("sandbox")]
    assert logs
    for secret in secrets:
        assert tables_with(secret) == []
        assert [path.name for path in logs if secret in path.read_text(errors="replace")] == []


def test_images_over_the_area_of_a_file(people, demo):
    page = people.visitor()
    page.goto(f"{demo['ckan_url']}/dinamis/images")
    narrow(page, "56-explorer")
    page.click("details summary")
    ring = [[-0.62, 44.78], [-0.52, 44.74], [-0.45, 44.8], [-0.48, 44.87], [-0.62, 44.78]]
    content = json.dumps({"type": "Polygon", "coordinates": [ring]}).encode()
    page.set_input_files("#field-file", {"name": "zone.geojson", "mimeType": "application/geo+json", "buffer": content})
    page.click("form[action*='/dinamis/images/area'] button")
    page.wait_for_selector("h2:has-text('dans la zone de votre fichier')")
    assert "area=" in page.url
    look(page, "57-area-of-a-file")
    narrow(page, "57-area-of-a-file")
    # All years stand side by side on a telephone.
    page.set_viewport_size({"width": 390, "height": 844})
    bars = page.locator(".dinamis-years li")
    edges = [bars.nth(n).bounding_box() for n in range(bars.count())]
    assert len(edges) == 10
    assert all(one["x"] >= 0 and one["x"] + one["width"] <= 390 for one in edges)
    page.click(".dinamis-to-map a")
    wait_for(lambda: page.locator("#dinamis-map").bounding_box()["y"] < 400)  # it glides there
