"""The dossier transport: a ZIP that is kept, a mail to the board, a one-time link that decides once."""

from __future__ import annotations

import email
import hashlib
import io
import json
import threading
import zipfile
from email import policy
from types import SimpleNamespace
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from aiosmtpd.controller import Controller
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.documents.certificates import self_signed
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Dossier, Mail
from ckanext.dinamis_relais.membership.model import Application, BoardLink, Document, Membership
from tests.sandbox.conftest import free_port

from .helpers import file_in, token_of

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "by_dossier")

BOARD = "bureau@dinamis.example"
PREFIX = "ckanext.dinamis_relais."


@pytest.fixture
def by_dossier(ckan_config, monkeypatch, tmp_path_factory):
    """The site hands files over as dossiers, and seals its papers."""
    key = tmp_path_factory.mktemp("seal") / "seal.p12"
    self_signed(key, None, "PIGMA")
    for name, value in (("gateway.transport", "dossier"), ("gateway.board_email", BOARD), ("seal_pkcs12", str(key))):
        monkeypatch.setitem(ckan_config, PREFIX + name, value)


@pytest.fixture
def post_office(ckan_config, monkeypatch):
    """A real SMTP server; ``messages`` are what it took."""
    state = SimpleNamespace(messages=[])

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            state.messages.append(email.message_from_bytes(envelope.content, policy=policy.default))
            return "250 OK"

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    controller.start()
    monkeypatch.setitem(ckan_config, "smtp.server", f"127.0.0.1:{controller.port}")
    yield state
    controller.stop()


def board_mails(name: str = "board_dossier") -> list[Mail]:
    return model.Session.query(Mail).filter_by(name=name).order_by(Mail.created_at).all()


def prepared() -> None:
    """One round of the worker; what it could not mail for want of a server stays due."""
    deliver_once()
    model.Session.expire_all()


def submitted(people: Any) -> tuple[dict[str, Any], str]:
    """A submitted file and the token that the board was mailed."""
    file = file_in(people, "submitted")
    prepared()
    return file, token_of(board_mails()[-1])


def by_link(action: str, token: str, **data: Any) -> dict[str, Any]:
    return call_action(f"dinamis_board_link_{action}", {"user": "", "ignore_auth": False}, token=token, **data)


def refused(token: str, **data: Any) -> str:
    with pytest.raises(tk.ValidationError) as raised:
        by_link("decide", token, **data)
    return str(raised.value.error_dict)


class TestWhatLeaves:
    def test_the_zip_holds_the_contracts_json_the_papers_and_true_hashes(self, people):
        file, _token = submitted(people)
        kept = model.Session.query(Dossier).one()
        assert hashlib.sha256(kept.content).hexdigest() == kept.sha256
        with zipfile.ZipFile(io.BytesIO(kept.content)) as packed:
            assert packed.testzip() is None
            sums = dict(reversed(line.split("  ")) for line in packed.read("SHA256SUMS").decode().splitlines())
            assert sums == {
                name: hashlib.sha256(packed.read(name)).hexdigest() for name in packed.namelist() if name in sums
            }
            assert set(packed.namelist()) == {*sums, "SHA256SUMS"}
            body = json.loads(packed.read("dossier.json"))
            papers = [packed.read(name) for name in packed.namelist() if name.startswith("pieces/")]
        assert body["organization"]["siren"] == "213300395"
        assert (body["state"], body["version"]) == ("submitted", 1)
        rows = model.Session.query(Document).filter_by(application_id=file["id"]).order_by(Document.created_at)
        assert papers == [row.content for row in rows]
        assert [d["sha256"] for d in body["documents"]] == [hashlib.sha256(p).hexdigest() for p in papers]

    def test_the_mail_brings_the_zip_and_a_link_of_which_only_the_hash_is_kept(self, people, post_office):
        file_in(people, "submitted")
        deliver_once()
        deliver_once()
        found = [m for m in post_office.messages if BOARD in m["To"]]
        assert len(found) == 1
        attached = next(found[0].iter_attachments())
        assert attached.get_filename().endswith("-v1.zip")
        assert attached.get_content() == model.Session.query(Dossier).one().content
        text = found[0].get_body(("plain",)).get_content()
        token = text.split("/dinamis/decide/", 1)[1].split()[0]
        assert by_link("show", token)["status"] == "open"
        link = model.Session.query(BoardLink).one()
        assert link.token_hash == hashlib.sha256(token.encode()).hexdigest()
        mail = board_mails()[0]
        assert mail.secrets is None
        assert token not in mail.body

    def test_a_large_zip_is_not_attached(self, people, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.dossier_attach_mb", 0)
        submitted(people)
        assert board_mails()[0].dossier_id is None
        assert "trop lourd pour être joint" in board_mails()[0].body

    def test_without_an_address_it_is_kept_and_nothing_leaves(self, people, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.board_email", "")
        file = file_in(people, "submitted")
        prepared()
        assert model.Session.query(Dossier).count() == 1
        assert not board_mails()
        with pytest.raises(tk.ValidationError) as raised:
            call_action("dinamis_dossier_send", people.context("super_referent"), id=file["id"])
        assert "Aucune adresse" in str(raised.value.error_dict)

    def test_a_withdrawn_file_is_told_and_its_link_ends(self, people):
        file, token = submitted(people)
        call_action("dinamis_application_transition", people.context("referent"), id=file["id"], transition="withdraw")
        prepared()
        assert "dossier retiré" in board_mails("board_notice")[0].subject
        assert by_link("show", token)["status"] == "moved"
        assert "retiré" in refused(token, transition="accept")

    def test_a_suspended_membership_is_told(self, people):
        _file, token = submitted(people)
        by_link("decide", token, transition="accept")
        prepared()
        membership = model.Session.query(Membership).one()
        call_action("dinamis_membership_transition", people.context("super_referent"), id=membership.id,
                    transition="suspend", reason="Impayé.")  # fmt: skip
        prepared()
        subjects = [m.subject for m in board_mails("board_notice")]
        assert ["en vigueur" in s for s in subjects] == [True, False]
        assert "suspendue" in subjects[1]
        deed = model.Session.query(Dossier).filter_by(target="membership", version=1).one()
        with zipfile.ZipFile(io.BytesIO(deed.content)) as packed:
            assert any("acte-d-adhesion" in name for name in packed.namelist())


class TestDecision:
    @pytest.mark.parametrize(
        ("transition", "state"),
        [("accept", "accepted"), ("refuse", "refused"), ("defer", "deferred"), ("ask_changes", "changes_requested")],
    )
    def test_each_decision_once(self, people, transition, state):
        file, token = submitted(people)
        by_link("decide", token, transition=transition, reason="Motif dit.", reference="BE-7")
        row = model.Session.get(Application, file["id"])
        assert row.state == state
        line = call_action("dinamis_application_history", people.context("referent"), id=file["id"])["results"][-1]
        assert (line["actor"], line["state_to"]) == ("board_link", state)
        assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]
        assert "a servi" in refused(token, transition="refuse", reason="Encore.")
        assert by_link("show", token)["status"] == "used"
        assert model.Session.get(Application, file["id"]).state == state

    @pytest.mark.parametrize("transition", ["refuse", "defer", "ask_changes"])
    def test_a_no_needs_its_reason_and_leaves_the_link_whole(self, people, transition):
        _file, token = submitted(people)
        assert "motif" in refused(token, transition=transition, reason="  ").lower()
        assert by_link("show", token)["status"] == "open"

    def test_nothing_but_the_boards_decisions(self, people):
        file, token = submitted(people)
        assert "accept" in refused(token, transition="withdraw")
        assert model.Session.get(Application, file["id"]).state == "submitted"

    def test_a_changed_token_opens_nothing(self, people):
        _file, token = submitted(people)
        for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "", token + "A"):
            with pytest.raises((tk.ObjectNotFound, tk.ValidationError)):
                by_link("decide", wrong, transition="accept")
        assert not model.Session.query(Membership).count()

    def test_six_at_once_decide_once(self, people, app):
        file, token = submitted(people)
        results = []

        def decide(transition: str) -> None:
            with app.flask_app.test_request_context():
                try:
                    by_link("decide", token, transition=transition, reason="Motif.")
                    results.append(transition)
                except tk.ValidationError:
                    results.append(None)
                finally:
                    model.Session.remove()

        threads = [threading.Thread(target=decide, args=(name,)) for name in ("accept", "refuse") * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([r for r in results if r]) == 1
        lines = call_action("dinamis_application_history", people.context("referent"), id=file["id"])["results"]
        assert [line["actor"] for line in lines].count("board_link") == 1


class TestLinks:
    def test_a_deferred_file_comes_back_with_a_new_link(self, people):
        file, old = submitted(people)
        by_link("decide", old, transition="defer", reason="Préciser.")
        call_action("dinamis_application_transition", people.context("super_referent"), id=file["id"],
                    transition="resubmit")  # fmt: skip
        prepared()
        new = token_of(board_mails()[-1])
        assert new != old
        assert "de nouveau" in board_mails()[-1].body
        assert by_link("decide", new, transition="accept")["state"] == "accepted"
        assert [d.version for d in model.Session.query(Dossier).filter_by(target="application")] == [1, 2]

    def test_sent_again_the_first_link_ends(self, people):
        file, old = submitted(people)
        call_action("dinamis_dossier_send", people.context("super_referent"), id=file["id"])
        assert by_link("show", old)["status"] == "replaced"
        assert by_link("show", old)["file"] is None
        assert "plus récent" in refused(old, transition="accept")
        assert by_link("decide", token_of(board_mails()[-1]), transition="accept")["state"] == "accepted"

    def test_revoked(self, people):
        file, token = submitted(people)
        pigma = people.context("super_referent")
        assert call_action("dinamis_dossier_revoke", pigma, id=file["id"])["revoked"] == 1
        refused(token, transition="accept")
        assert call_action("dinamis_dossier_show", pigma, id=file["id"])["links"][0]["status"] == "replaced"
        assert model.Session.get(Application, file["id"]).state == "submitted"

    def test_expired_then_a_new_one_at_the_boards_address_only(self, people, ckan_config, monkeypatch):
        _file, token = submitted(people)
        with pytest.raises(tk.ValidationError):
            by_link("resend", token)
        model.Session.query(BoardLink).update({"expires_at": utcnow()})
        model.Session.commit()
        assert by_link("show", token)["status"] == "expired"
        assert "expiré" in refused(token, transition="accept")
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.board_email", "nouveau@dinamis.example")
        by_link("resend", token)
        assert board_mails()[-1].recipient == "nouveau@dinamis.example"
        assert by_link("show", token_of(board_mails()[-1]))["status"] == "open"

    def test_sending_again_is_throttled(self, people):
        file, _token = submitted(people)
        pigma = people.context("super_referent")
        with pytest.raises(tk.ValidationError) as raised:
            for _time in range(7):
                call_action("dinamis_dossier_send", dict(pigma), id=file["id"])
        assert "Trop d'essais" in str(raised.value.error_dict).replace("’", "'")

    def test_decided_by_another_way_the_link_says_so(self, people):
        file, token = submitted(people)
        call_action("dinamis_decision_record", people.context("super_referent"), id=file["id"], transition="accept",
                    file=b"%PDF-1.7\nreponse\n%%EOF")  # fmt: skip
        assert by_link("show", token)["status"] == "decided"
        assert "déjà" in refused(token, transition="refuse", reason="Trop tard.")


class TestPages:
    def test_reading_changes_nothing_and_shows_all(self, app, people):
        file, token = submitted(people)
        page = app.get(f"/dinamis/decide/{token}")
        for words in ("Commune de Bègles", "cachet vérifié", "213300395", "Accepter", "Refuser", "Historique"):
            assert words in page.body, words
        assert page.headers["Cache-Control"] == "private, no-store"
        assert "noindex" in page.headers["X-Robots-Tag"]
        document = model.Session.query(Document).filter_by(kind="signed_amendment").one()
        assert app.get(f"/dinamis/decide/{token}/documents/{document.id}").data == document.content
        assert app.get(f"/dinamis/decide/{token}/dossier.zip").data == model.Session.query(Dossier).one().content
        app.get(f"/dinamis/decide/{token}/again", status=404)
        model.Session.expire_all()
        assert model.Session.get(Application, file["id"]).state == "submitted"
        assert model.Session.query(BoardLink).one().used_at is None

    def test_a_decision_by_the_page_then_the_link_is_kind(self, app, people):
        file, token = submitted(people)
        page = app.post(f"/dinamis/decide/{token}", data={"transition": "refuse", "reason": ""})
        assert "motif" in page.body.lower()
        page = app.post(f"/dinamis/decide/{token}", data={"transition": "refuse", "reason": "Hors périmètre."})
        assert "Votre décision est enregistrée" in page.body
        assert "ne décide plus rien" in page.body
        model.Session.expire_all()
        assert model.Session.get(Application, file["id"]).reason == "Hors périmètre."

    def test_papers_of_another_file_and_of_a_revoked_link_stay_shut(self, app, people):
        file, token = submitted(people)
        document = model.Session.query(Document).filter_by(kind="amendment").one()
        app.get(f"/dinamis/decide/{token}/documents/unknown", status=404)
        call_action("dinamis_dossier_revoke", people.context("super_referent"), id=file["id"])
        app.get(f"/dinamis/decide/{token}/documents/{document.id}", status=404)
        app.get(f"/dinamis/decide/{token}/dossier.zip", status=404)
        assert "ne fonctionne plus" in app.get(f"/dinamis/decide/{token}").body
        app.get("/dinamis/decide/nothing", status=404)

    def test_a_paper_changed_in_the_database_is_told(self, app, people):
        _file, token = submitted(people)
        row = model.Session.query(Document).filter_by(kind="signed_amendment").one()
        row.content = row.content.replace(b"DINAMIS", b"DINAMIT", 1)
        model.Session.commit()
        assert "modifié depuis" in app.get(f"/dinamis/decide/{token}").body
