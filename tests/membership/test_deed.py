"""The co-validated acte d'adhésion: who decided, when (UTC), by which way, under the platform's seal."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ckan import model
from ckan.tests.helpers import call_action
from cryptography.hazmat.primitives.serialization import Encoding
from pypdf import PdfReader

from ckanext.dinamis_relais.documents.certificates import certificate_of, self_signed
from ckanext.dinamis_relais.documents.seal import verify
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.model import Application, Document, Membership
from tests.documents.authority import NOW, Authority
from tests.documents.examples import words
from tests.journalled import journalled

from .helpers import file_in, token_of

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

PREFIX = "ckanext.dinamis_relais."
ANSWER = b"%PDF-1.7\nAccord du bureau.\n%%EOF"


@pytest.fixture
def sealing(ckan_config, monkeypatch, tmp_path):
    """The site seals with a key of its own; gives the certificate that its seals are checked by."""
    key = tmp_path / "seal.p12"
    self_signed(key, None, "PIGMA")
    monkeypatch.setitem(ckan_config, PREFIX + "seal_pkcs12", str(key))
    return certificate_of(key, None)


@pytest.fixture
def stamping(ckan_config, monkeypatch, tmp_path):
    """The same with the certificate of an authority, whose time-stamp server answers."""
    authority, day = Authority(), timedelta(days=1)
    key = authority.pkcs12(tmp_path / "seal.p12", "PIGMA", NOW - day, NOW + day)
    trust = tmp_path / "authority.pem"
    trust.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setitem(ckan_config, PREFIX + "seal_pkcs12", str(key))
    monkeypatch.setitem(ckan_config, PREFIX + "seal_trust", [str(trust)])
    with authority.time_stamping() as url:
        monkeypatch.setitem(ckan_config, PREFIX + "timestamp_url", url)
        yield authority.certificate


def by_login(people, file, _gateway):
    call_action("dinamis_application_transition", people.context("executive_board"), id=file["id"],
                transition="accept", reference="BE-1")  # fmt: skip


def by_paper(people, file, _gateway):
    call_action("dinamis_decision_record", people.context("super_referent"), id=file["id"], transition="accept",
                reference="BE-1", file=ANSWER)  # fmt: skip


def by_api(_people, _file, gateway):
    gateway.decision, gateway.decided = "accepted", {"decided_at": "2026-11-20T09:30:00Z", "decided_by": "Jo Exemple"}
    deliver_once()


def by_link(_people, _file, _gateway):
    deliver_once()
    token = token_of(model.Session.query(Mail).filter_by(name="board_dossier").one())
    anybody = {"user": "", "ignore_auth": False}
    call_action("dinamis_board_link_decide", anybody, token=token, transition="accept", reference="BE-1")


#: Way → (how it comes, who the acte names, its words on the way).
WAYS = {
    "login": (by_login, "Bureau exécutif DINAMIS", "sur la plateforme"),
    "link": (by_link, "bureau@dinamis.example", "par le lien personnel"),
    "api": (by_api, "Jo Exemple", "service d'échange"),
    "paper": (by_paper, "réponse écrite, enregistrée par", "par écrit"),
}


def decided(way, people, gateway_service, ckan_config, monkeypatch) -> tuple[Application, Document]:
    if way != "api":  # the other side's service is not asked: no file leaves for it
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.transport", "dossier")
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.board_email", "bureau@dinamis.example")
    file = file_in(people, "submitted")
    WAYS[way][0](people, file, gateway_service)
    model.Session.expire_all()
    row = model.Session.get(Application, file["id"])
    return row, model.Session.query(Document).filter_by(application_id=row.id, kind="membership_deed").one()


@pytest.mark.parametrize("way", WAYS)
def test_the_decision_and_the_seal_stand_on_it(way, people, gateway_service, sealing, ckan_config, monkeypatch):
    row, deed = decided(way, people, gateway_service, ckan_config, monkeypatch)
    assert (row.state, row.decision_via) == ("accepted", way)
    text = words(deed.content)
    _how, who, by = WAYS[way]
    assert who in text
    assert by in text.replace("’", "'")
    assert row.decided_at.strftime("à %H:%M:%S (UTC)") in text
    assert "co-validé" in text
    if way == "api":
        assert "20 novembre 2026 à 09:30:00 (UTC)" in text
    if way == "login":
        assert people.executive_board["fullname"] in text
    if way == "paper":
        answer = model.Session.query(Document).filter_by(application_id=row.id, kind="board_answer").one()
        assert answer.sha256 in text.replace(" ", "")
    assert deed.sealed
    result = verify(deed.content, [sealing])
    assert result.valid, result.problems
    assert PdfReader(io.BytesIO(deed.content)).trailer["/Root"]["/MarkInfo"]["/Marked"].value is True


def test_dinamis_cannot_decide_in_the_future(people, gateway_service, sealing):
    file = file_in(people, "submitted")
    gateway_service.decision, gateway_service.decided = "accepted", {"decided_at": "2999-01-01T00:00:00Z"}
    deliver_once()
    model.Session.expire_all()
    assert model.Session.get(Application, file["id"]).decided_at.year < 2999


def test_who_comes_back_begins_anew_and_the_acte_says_so_with_its_time_stamp(people, gateway_service, stamping):
    by_login(people, file_in(people, "submitted"), gateway_service)
    row = model.Session.query(Membership).one()
    row.state, row.since = "ended", row.since - timedelta(days=800)
    model.Session.commit()
    file = file_in(people, "submitted")
    by_login(people, file, gateway_service)
    deed = model.Session.query(Document).filter_by(application_id=file["id"], kind="membership_deed").one()
    assert deed.timestamped
    model.Session.expire_all()
    assert NOW - model.Session.query(Membership).one().since < timedelta(days=2)


@pytest.mark.parametrize("way", WAYS)
def test_the_time_stamp_of_a_server(way, people, gateway_service, stamping, ckan_config, monkeypatch):
    row, deed = decided(way, people, gateway_service, ckan_config, monkeypatch)
    assert row.state == "accepted"
    result = verify(deed.content, [stamping])
    assert (result.valid, result.timestamped, deed.timestamped) == (True, True, True), result.problems
    signed = model.Session.query(Document).filter_by(application_id=row.id, kind="signed_amendment").one()
    assert signed.timestamped
    assert verify(signed.content, [stamping]).timestamped
    found = call_action("dinamis_document_list", people.context("executive_board"), application_id=row.id, verify=True)
    assert [d["check"]["seal"] for d in found["results"] if d["sealed"]] == ["valid", "valid"]


@contextmanager
def odd_server(status: int, location: str = ""):
    """A server that answers every request with a status, and no time-stamp."""
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            calls.append(self.path)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"oops")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa", calls
    finally:
        server.shutdown()
        server.server_close()


class TestWithoutAnAnswer:
    """The time-stamp server does not serve: the paper is sealed all the same, and says that it bears no time-stamp."""

    def accepted_without(self, people, sealing) -> None:
        file = file_in(people, "submitted")
        by_login(people, file, None)
        deed = model.Session.query(Document).filter_by(kind="membership_deed").one()
        assert (deed.sealed, deed.timestamped) == (True, False)
        assert verify(deed.content, [sealing]).valid
        line = journalled().filter_by(event="document.created", object_id=deed.id).one()
        assert (line.data["sealed"], line.data["timestamped"]) == (True, False)

    def test_it_is_down(self, browser, people, sealing, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "timestamp_url", "http://127.0.0.1:9/tsa")
        self.accepted_without(people, sealing)
        file = model.Session.query(Application).one()
        page = browser.get("super_referent", f"/dinamis/moderation/applications/{file.id}")
        assert "sans horodatage" in page.body

    @pytest.mark.parametrize("status", [200, 500])
    def test_it_answers_something_else(self, people, sealing, ckan_config, monkeypatch, status):
        with odd_server(status) as (url, calls):
            monkeypatch.setitem(ckan_config, PREFIX + "timestamp_url", url)
            self.accepted_without(people, sealing)
        assert calls

    def test_it_is_never_followed_elsewhere(self, people, sealing, ckan_config, monkeypatch):
        with odd_server(200) as (elsewhere, never), odd_server(307, elsewhere) as (url, calls):
            monkeypatch.setitem(ckan_config, PREFIX + "timestamp_url", url)
            self.accepted_without(people, sealing)
        assert calls
        assert not never

    def test_a_private_address_that_is_not_listed_is_not_called(self, people, sealing, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "private_hosts", ["localhost"])
        with odd_server(200) as (url, calls):
            monkeypatch.setitem(ckan_config, PREFIX + "timestamp_url", url)
            entities = PREFIX + "entity_search_url"  # on that address too
            monkeypatch.setitem(ckan_config, entities, ckan_config[entities].replace("127.0.0.1", "localhost"))
            self.accepted_without(people, sealing)
        assert not calls
