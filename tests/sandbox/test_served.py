"""The process that the command starts: pages, mail by SMTP, an image through its signed address, a restart."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import time
import urllib.request
from email.message import EmailMessage
from urllib.error import HTTPError

import pytest
import rasterio

from ckanext.dinamis_relais.sandbox import identity, scenes
from tests.sandbox.examples import HEADERS, account

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def call(url, body=None, headers=None, method=None):
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else None
    kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
    asked = urllib.request.Request(url, data, {"Content-Type": kind, **(headers or {})}, method=method)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.loads(answer.read())


def mail(served, subject, to="lou@demo.example"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "relais@demo.example", to, subject
    message.set_content("Votre lien : https://ckan.example/x")
    with smtplib.SMTP("127.0.0.1", served.smtp, timeout=20) as smtp:
        smtp.send_message(message)


def newest(served, to):
    return [m["subject"] for m in call(f"{served.url}/mails.json?to={to}")]


def test_mail_goes_in_by_smtp_and_is_read_by_http(served):
    mail(served, "Invitation", "marion@demo.example")
    assert newest(served, "marion") == ["Invitation"]


def test_mail_that_is_refused_for_now_is_not_kept(served):
    call(f"{served.url}/control/outage", {"service": "mail", "mode": "503", "seconds": 30})
    with pytest.raises(smtplib.SMTPDataError) as refused:
        mail(served, "Perdu", "perdu@demo.example")
    assert refused.value.smtp_code == 451
    call(f"{served.url}/control/outage", {"service": "mail", "mode": "ok"})
    assert newest(served, "perdu") == []


def signed(served, href):
    """What a person does: approve a code, make a key, have an address signed."""
    device = call(f"{served.url}{identity.OIDC}/auth/device", "client_id=gdal&scope=openid+offline_access")
    form = f"user_code={device['user_code']}&name=jeanne&answer=yes"
    urllib.request.urlopen(f"{served.url}/identity/device", form.encode(), timeout=20).close()
    asked = f"client_id=gdal&grant_type={GRANT}&device_code={device['device_code']}"
    token = call(f"{served.url}{identity.OIDC}/token", asked)["access_token"]
    key = call(f"{served.url}/signing/create_api_key?description=t", headers={"Authorization": f"Bearer {token}"})
    body = {"urls": [href, "https://s3-data.meso.umontpellier.fr/a.tif"], "duration_seconds": 60}
    return call(f"{served.url}/signing/sign_urls", body, key)["hrefs"]


def test_gdal_reads_a_scene_through_the_address_that_a_person_had_signed(served):
    item = next(scenes.items(1, f"{served.url}/objects"))
    href = item["assets"]["MS"]["href"]
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(href, timeout=20)
    assert refused.value.code == 403
    found = signed(served, href)
    assert "X-Amz-Signature" in found["https://s3-data.meso.umontpellier.fr/a.tif"]
    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_MAX_RETRY": "0"}
    with rasterio.Env(**options), rasterio.open(f"/vsicurl/{found[href]}") as image:
        assert (image.count, image.crs.to_epsg(), image.dtypes[0]) == (4, 2154, "uint16")
        assert image.read(1, window=((0, 8), (0, 8))).any()


def test_a_restart_forgets_nothing(served):
    url = f"{served.url}/gateway/v1/accounts/kept"
    put = call(url, account(4), HEADERS, "PUT")
    mail(served, "Avant", "avant@demo.example")
    call(f"{served.url}/control/outage", {"service": "geo", "mode": "503", "seconds": 60})
    served.stop()
    served.start()
    assert call(url, headers=HEADERS) == put
    assert newest(served, "avant") == ["Avant"]
    with pytest.raises(HTTPError) as refused:
        call(f"{served.url}/geo/communes/33039")
    assert refused.value.code == 503
    call(f"{served.url}/control/outage", {"service": "geo", "mode": "ok"})
    mail(served, "Après", "avant@demo.example")
    assert newest(served, "avant") == ["Après", "Avant"]


def test_silence_looks_like_silence_and_the_pages_go_on(served):
    call(f"{served.url}/control/outage", {"service": "gateway", "mode": "timeout", "seconds": 20})
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{served.url}/gateway/v1/accounts/x", timeout=0.5)
    assert 0.4 < time.monotonic() - began < 3
    assert urllib.request.urlopen(f"{served.url}/board", timeout=5).status == 200
    call(f"{served.url}/control/outage", {"service": "gateway", "mode": "ok"})


def test_scenes_are_written_by_the_command(tmp_path):
    command = [sys.executable, "-m", "ckanext.dinamis_relais.sandbox", "scenes", "--count", "5"]
    subprocess.run([*command, "--asset-base", "http://a.example/objects", "--out", tmp_path / "out"], check=True)
    lines = (tmp_path / "out" / "items.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(scenes.items(5, "http://a.example/objects"))
