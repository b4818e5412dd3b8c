"""The sandbox's pages: the executive board decides, each page says what it is."""

from __future__ import annotations

import re

import pytest

from ckanext.dinamis_relais.sandbox import board
from tests.sandbox.examples import HEADERS, PDF, application, document

LABEL = "Bac à sable : ceci n'est pas DINAMIS, données synthétiques"


def send(client, key="k1", version=1, **changes):
    answer = client.put(f"/gateway/v1/applications/{key}", json=application(version, **changes), headers=HEADERS)
    assert answer.status_code == 200


def status(client, key="k1"):
    return client.get(f"/gateway/v1/applications/{key}", headers=HEADERS).json


PAGES = ("/", "/board", "/board/k1", "/mails", "/control", "/identity/device")


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/board/nobody", "/mails/7"])
def test_each_page_is_french_and_says_that_it_is_a_sandbox(client, path):
    send(client)
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == (200 if path in PAGES else 404)
    assert '<html lang="fr">' in answer.text
    assert LABEL in answer.text.replace("&#39;", "'")
    assert answer.headers["X-Sandbox"]
    assert answer.text.count("<h1>") == 1
    assert not re.search(r'(src|href)="(https?:)?//(?!ckan\.example|stac\.example)', answer.text)
    for field in re.findall(r'<(?:input|textarea|select) id="([^"]+)"', answer.text):
        assert f'<label for="{field}">' in answer.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        ("2026-05-04", "04/05/2026"),
        ("2026-05-04T10:00:00Z", "04/05/2026 10:00 UTC"),
        ("2026-05-04T10:00:00+02:00", "04/05/2026 08:00 UTC"),
        ("2026-05-04 10:00", "04/05/2026 10:00 UTC"),
        ("2026-13-04T10:00", "2026-13-04T10:00"),
    ],
)
def test_moments_are_read_by_persons(text, shown):
    assert board.moment(text) == shown


def test_home_counts(client):
    send(client)
    send(client, "k2")
    page = client.get("/").text
    assert "2 à décider, dossiers reçus en tout : 2" in page


def test_board_lists_the_oldest_first_and_keeps_the_decided_apart(client, state):
    send(client, "late", organization={**application()["organization"], "title": "Reçu tard"})
    send(client, "soon", organization={**application()["organization"], "title": "Reçu tôt"})
    with state.write() as db:
        db.execute("UPDATE applications SET received_at = '2026-01-01T00:00:00+00:00' WHERE id = 'soon'")
    page = client.get("/board").text
    assert page.index("Reçu tôt") < page.index("Reçu tard")
    client.post("/board/soon/decision", data={"decision": "accept"})
    page = client.get("/board").text
    assert page.index("Reçu tard") < page.index("Les autres") < page.index("Reçu tôt")


def test_dossier_shows_what_was_received(client):
    send(client, justification="Suivi des <b>haies</b>")
    page = client.get("/board/k1").text
    for words in (
        "Commune de Bègles",
        "213300395",
        "Bègles (33039)",
        "PIGMA-2026-0001",
        "présomption : éligible",
        "Avenant signé",
    ):
        assert words in page
    assert "Suivi des &lt;b&gt;haies" in page


def test_dossier_with_as_little_as_the_contract_asks(client):
    nothing = {"checked_at": None, "checked_by": None, "presumption": None, "note": None}
    few = {"referent": None, "agreement_number": None, "eligibility": nothing, "documents": [], "signed_at": None}
    organization = {"id": "o", "name": "o", "title": "Sans rien", "siren": "213300395"}
    send(client, **few, organization=organization)
    assert client.get("/board").status_code == 200
    page = client.get("/board/k1").text
    assert "None" not in page
    assert "Aucune pièce" in page


def test_pdf_is_read_in_place_or_downloaded(client):
    send(client)
    shown, kept = (client.get(f"/board/k1/documents/d1{query}") for query in ("?read=1", ""))
    assert shown.data == kept.data == PDF
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert kept.headers["Content-Disposition"].startswith("attachment")
    assert client.get("/board/k1/documents/other").status_code == 404


def test_what_is_no_pdf_is_never_shown_in_place(client):
    send(client, documents=[document(b"<script>alert(1)</script>", media_type="text/html")])
    answer = client.get("/board/k1/documents/d1?read=1")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "read=1" not in client.get("/board/k1").text


@pytest.mark.parametrize(
    ("decision", "reason", "wanted"),
    [("accept", "", "accepted"), ("defer", "Laquelle ?", "deferred"), ("refuse", "Non éligible.", "refused")],
)
def test_a_button_decides(client, decision, reason, wanted):
    send(client)
    answer = client.post("/board/k1/decision", data={"decision": decision, "reason": reason, "version": "1"})
    assert answer.status_code == 303
    assert 'role="status"' in client.get(answer.location).text
    held = status(client)
    assert (held["status"], held["reason"]) == (wanted, reason or None)
    assert held["decided_at"]


@pytest.mark.parametrize(
    "form",
    [{"decision": "refuse"}, {"decision": "defer", "reason": " "}, {"decision": "maybe"}, {}],
)
def test_without_a_reason_nothing_is_decided(client, form):
    send(client)
    answer = client.post("/board/k1/decision", data=form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert status(client)["status"] == "received"


def test_a_second_decision_and_a_version_that_was_not_read_are_refused(client):
    send(client)
    send(client, version=2)
    stale = client.post("/board/k1/decision", data={"decision": "accept", "version": "1"})
    assert (stale.status_code, status(client)["status"]) == (422, "received")
    assert client.post("/board/k1/decision", data={"decision": "accept", "version": "2"}).status_code == 303
    second = client.post("/board/k1/decision", data={"decision": "refuse", "reason": "non", "version": "2"})
    assert (second.status_code, status(client)["status"]) == (422, "accepted")


def test_reading_never_decides_and_another_site_cannot(client):
    send(client)
    assert client.get("/board/k1/decision?decision=accept").status_code == 405
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/board/k1/decision", data={"decision": "accept"}, headers=headers).status_code == 403
    assert status(client)["status"] == "received"
