"""Trouble on demand: every service fails as it is asked to, and heals."""

from __future__ import annotations

import threading
import time

import pytest

from ckanext.dinamis_relais.sandbox import outage
from tests.sandbox.examples import HEADERS, application

ADDRESSES = {
    "gateway": "/gateway/v1/accounts/nobody",
    "signing": "/signing/openapi.json",
    "objects": "/objects/b/c/d.tif",
    "entities": "/recherche-entreprises/search?q=213300395",
    "geo": "/geo/communes/33039",
}


def order(client, **body):
    return client.post("/control/outage", json=body)


@pytest.mark.parametrize("service", ADDRESSES)
@pytest.mark.parametrize("mode", ["503", "429", "401"])
def test_a_service_fails_alone_then_heals(client, service, mode):
    before = {name: client.get(path).status_code for name, path in ADDRESSES.items()}
    assert order(client, service=service, mode=mode).json[service] == mode
    answer = client.get(ADDRESSES[service])
    assert answer.status_code == int(mode)
    assert (answer.headers.get("Retry-After") == "2") is (mode == "429")
    assert ("WWW-Authenticate" in answer.headers) is (mode == "401")
    others = {name: client.get(path).status_code for name, path in ADDRESSES.items() if name != service}
    assert others == {name: code for name, code in before.items() if name != service}
    assert order(client, service=service, mode="ok").json[service] == "ok"
    assert client.get(ADDRESSES[service]).status_code == before[service]


def test_errors_have_the_shape_of_each_contract(client):
    for service in ADDRESSES:
        order(client, service=service, mode="503")
    assert set(client.get(ADDRESSES["gateway"]).json["error"]) == {"field", "problem", "remedy"}
    assert client.get(ADDRESSES["entities"]).json["erreur"]
    assert client.get(ADDRESSES["signing"]).json["detail"]
    assert client.get(ADDRESSES["objects"]).mimetype == "application/xml"


@pytest.mark.parametrize("service", ADDRESSES)
def test_a_page_in_place_of_an_answer(client, service):
    order(client, service=service, mode="html")
    answer = client.get(ADDRESSES[service])
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_what_fails_keeps_nothing(client):
    order(client, service="gateway", mode="503")
    assert client.put("/gateway/v1/applications/k1", json=application(), headers=HEADERS).status_code == 503
    order(client, service="gateway", mode="ok")
    assert client.get("/gateway/v1/applications/k1", headers=HEADERS).status_code == 404


def test_silence_ends_when_the_outage_is_lifted(app, client):
    order(client, service="gateway", mode="timeout")
    found = []
    asking = threading.Thread(target=lambda: found.append(app.test_client().get(ADDRESSES["gateway"]).status_code))
    asking.start()
    asking.join(0.5)
    assert asking.is_alive()
    order(client, service="gateway", mode="ok")
    asking.join(5)
    assert found == [504]


def test_silence_never_takes_every_thread(app, client, monkeypatch):
    monkeypatch.setattr(outage, "SILENCE", 2.0)
    order(client, service="geo", mode="timeout")
    waiting = [threading.Thread(target=lambda: app.test_client().get(ADDRESSES["geo"])) for _ in range(4)]
    for thread in waiting:
        thread.start()
    time.sleep(0.4)
    began = time.monotonic()
    assert client.get(ADDRESSES["geo"]).status_code == 504
    assert time.monotonic() - began < 1
    order(client, service="geo", mode="ok")
    for thread in waiting:
        thread.join(5)


def test_an_outage_ends_by_itself(client):
    order(client, service="geo", mode="503", seconds=0.3)
    assert client.get(ADDRESSES["geo"]).status_code == 503
    time.sleep(0.35)
    assert client.get(ADDRESSES["geo"]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"service": "nobody", "mode": "503"},
        {"service": "geo", "mode": "404"},
        {"service": "geo", "mode": "503", "seconds": 0},
        {"service": "geo", "mode": "503", "seconds": "soon"},
        {"service": "geo", "mode": "503", "seconds": "nan"},
        {"service": "geo", "mode": "503", "seconds": [1]},
    ],
)
def test_what_cannot_be_ordered(client, body):
    answer = order(client, **body)
    assert answer.status_code == 422
    assert set(answer.json["error"]) == {"field", "problem", "remedy"}
    assert client.post("/control/outage", json=[]).status_code == 422


def test_page_of_switches(client):
    answer = client.post("/control/outage", data={"service": "geo", "mode": "503", "seconds": ""})
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert 'role="status"' in page
    assert '<option value="503" selected>' in page
    assert "API Géo" in client.get("/").text.split("<table>")[0]
    assert client.get("/control/outage").status_code == 405


def test_pages_of_the_sandbox_work_while_all_fails(client):
    for service in outage.SERVICES:
        order(client, service=service, mode="503")
    for path in ("/", "/board", "/mails", "/control", "/health"):
        assert client.get(path).status_code == 200


def test_the_object_store_alone_refuses_pages_of_other_sites_or_parts_of_files(client):
    path = ADDRESSES["objects"]
    assert "Access-Control-Allow-Origin" in client.get(path).headers
    assert order(client, service="objects", mode="closed").json["objects"] == "closed"
    answer = client.get(path)
    assert answer.status_code == 403
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
    order(client, service="objects", mode="whole")
    assert "Access-Control-Allow-Origin" in client.get(path).headers
    assert order(client, service="geo", mode="closed").status_code == 422
    page = client.get("/control").text
    assert page.count('value="closed"') == page.count('value="whole"') == 1
