"""The real identity server: Keycloak knows the person, who says yes on its own pages."""

from __future__ import annotations

import datetime as dt
import os
import time
import urllib.request
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlencode, urljoin

import ckan.plugins.toolkit as tk
import pytest
import requests
from ckan import model
from lxml import html

from ckanext.dinamis_relais.access.model import IdentityLink
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.secrets import decrypt, encrypt

from .conftest import accept, act
from .test_tools import SIGN, sdk

#: A person for each CKAN line: Keycloak fails when one consents twice at the same moment, as suites side by side do.
LOGIN = "essai" if tk.check_ckan_version(min_version="2.12") else "essai-bis"

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")


@pytest.fixture(scope="module")
def issuer():
    """The realm that ``make test`` has started; its start takes a while and goes on beside the tests."""
    address, end = os.environ.get("DINAMIS_ISSUER", ""), time.monotonic() + 240
    assert address, "DINAMIS_ISSUER names no Keycloak realm: run the suite by `make test`"
    while time.monotonic() < end:
        try:
            if requests.get(f"{address}/.well-known/openid-configuration", timeout=5).ok:
                return address
        except requests.RequestException:
            pass
        time.sleep(0.5)
    raise AssertionError(f"{address} did not answer in time")


def consent(address: str, answer: str = "accept") -> None:
    """Log in on Keycloak's page and answer its question, form after form as a person does."""
    # Browsers take loopback for a safe place and send it cookies that are marked so.
    jar = CookieJar(DefaultCookiePolicy(secure_protocols=("https", "http")))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(address, timeout=20)
    for fields in ({"username": LOGIN, "password": "essai-demo"}, {answer: "1"}):
        form = html.fromstring(page.read()).forms[0]
        data = urlencode({**dict(form.form_values()), **fields}).encode()
        page = browser.open(urljoin(page.url, form.action), data, timeout=20)


def test_a_person_links_and_signs_with_their_keycloak_login(person):
    begun = act(person.name, "dinamis_identity_link_start")
    assert begun["state"] == "pending"
    assert act(person.name, "dinamis_identity_link_finish")["state"] == "pending"
    consent(begun["page"])
    time.sleep(begun["interval"])  # Keycloak refuses to be asked more often
    linked = act(person.name, "dinamis_identity_link_finish")
    assert (linked["state"], linked["username"]) == ("linked", LOGIN)
    accept(person)
    url = person.hrefs[0]
    signed = act(person.name, "dinamis_asset_sign", urls=[url])["hrefs"][url]
    assert requests.get(signed, timeout=20).status_code == 200
    # The token's end has come: the refresh token, which is an offline one, gives another.
    row = model.Session.query(IdentityLink).filter_by(user_id=person.id).one()
    over = {**decrypt(row.secret), "access_until": (utcnow() - dt.timedelta(minutes=1)).isoformat()}
    row.secret = encrypt(over)
    model.Session.commit()
    other = person.hrefs[1]
    assert other in act(person.name, "dinamis_asset_sign", urls=[other])["hrefs"]


def test_who_says_no_is_not_linked(person):
    begun = act(person.name, "dinamis_identity_link_start")
    consent(begun["page"], "cancel")
    time.sleep(begun["interval"])
    with pytest.raises(tk.ValidationError) as refused:
        act(person.name, "dinamis_identity_link_finish")
    assert "identity" in refused.value.error_dict
    assert act(person.name, "dinamis_identity_link_show")["state"] == "none"


def test_unmodified_sdk_signs_by_keycloaks_device_flow(service, tmp_path):
    running = sdk(service, tmp_path, SIGN)
    assert running.stdout is not None
    shown = next(line for line in running.stdout if "user_code=" in line)
    consent(next(word for word in shown.split() if "user_code=" in word))
    said, _ = running.communicate(timeout=60)
    assert "SIGNED 70" in said, said
