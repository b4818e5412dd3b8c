"""The thread of a file: mails and PIGMA's private notes in one order of time, each role seeing what is its own."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.letters import RECIPIENTS
from ckanext.dinamis_relais.membership.model import ApplicationNote
from ckanext.dinamis_relais.membership.rules import LONGEST_NOTE
from tests.accounts.helpers import forget
from tests.journalled import journalled

from .helpers import FIELDS, file_in

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

SCRIPT = "<script>alert(1)</script> rappeler Mme <b>Exemple</b>"


def headers(user):
    made = call_action("api_token_create", {"ignore_auth": True, "user": user["name"]}, user=user["name"], name="t")
    return {"Authorization": made["token"]}


def note(people, file, text, role="super_referent"):
    return call_action("dinamis_note_create", people.context(role), id=file["id"], text=text)


def thread(people, file, role="super_referent"):
    return call_action("dinamis_application_thread", people.context(role), id=file["id"])["results"]


def refused(action, context, **data):
    with pytest.raises(tk.ValidationError) as raised:
        call_action(action, context, **data)
    return raised.value.error_dict


class TestTheThread:
    def test_mails_and_notes_stand_in_the_order_of_time(self, people):
        file = file_in(people, "draft")
        note(people, file, "Premier contact par téléphone.")
        early = model.Session.query(ApplicationNote).one()
        early.created_at = utcnow() - dt.timedelta(hours=2)
        model.Session.commit()
        call_action("dinamis_application_transition", people.context("super_referent"), id=file["id"],
                    transition="request_signature")  # fmt: skip
        asked = model.Session.query(Mail).filter_by(object_id=file["id"]).one()
        asked.created_at = utcnow() - dt.timedelta(hours=1)
        model.Session.commit()
        note(people, file, "La mairie signera lundi.", "sysadmin")
        found = thread(people, file)
        assert [entry["kind"] for entry in found] == ["note", "mail", "note"]
        assert [entry["at"] for entry in found] == sorted(entry["at"] for entry in found)
        assert found[0]["author"] == people.super_referent["fullname"]
        assert [entry["deletable"] for entry in found if entry["kind"] == "note"] == [True, False]
        assert (found[1]["name"], found[1]["recipient"]) == ("signature_requested", "maire@begles.example")

    def test_a_mail_tells_its_state_and_never_its_link(self, people):
        file = file_in(people, "awaiting_signature")
        found = thread(people, file)
        assert (found[0]["state"], found[0]["attempts"], "{link}" in found[0]["text"]) == ("due", 0, True)
        row = model.Session.query(Mail).filter_by(object_id=file["id"]).one()
        row.failed_at, row.last_error = utcnow(), "The mail server refuses this address."
        model.Session.commit()
        failed = thread(people, file)[0]
        assert (failed["state"], failed["last_error"]) == ("failed", "The mail server refuses this address.")
        row.failed_at, row.last_error, row.delivered_version, row.delivered_at = None, None, row.version, utcnow()
        model.Session.commit()
        sent = thread(people, file)[0]
        assert (sent["state"], sent["delivered_at"] is not None, sent["last_error"]) == ("delivered", True, None)

    def test_another_files_mails_and_notes_are_not_in_it(self, people):
        file = file_in(people, "awaiting_signature")
        other = factories.Organization(title="Commune de Pessac")
        elsewhere = file_in(people, "draft", organization_id=other["id"])
        note(people, elsewhere, "Autre dossier.")
        assert [entry["kind"] for entry in thread(people, file)] == ["mail"]
        assert [entry["kind"] for entry in thread(people, elsewhere)] == ["note"]

    def test_a_mail_about_the_membership_stands_in_the_thread_of_the_file_that_gave_it(self, people):
        file = file_in(people, "accepted")
        member = call_action("dinamis_membership_show", people.context("super_referent"),
                             organization_id=people.organization["id"])  # fmt: skip
        call_action("dinamis_membership_transition", people.context("super_referent"), id=member["id"],
                    transition="suspend", reason="Cotisation.")  # fmt: skip
        assert thread(people, file)[-1]["name"] == "membership_suspended"

    def test_every_mail_about_a_file_has_words(self, with_request_context):
        for name in (*RECIPIENTS, "board_dossier", "board_notice"):
            assert tk.h.dinamis_letter_label(name) != name


class TestWhoReadsWhat:
    def test_a_referent_reads_the_mails_to_its_own_people_and_no_note(self, people):
        file = file_in(people, "accepted")
        note(people, file, "Entre nous.")
        everything, own = thread(people, file), thread(people, file, "referent")
        assert {entry["kind"] for entry in own} == {"mail"}
        assert {entry["recipient"] for entry in own} == {"maire@begles.example", "sig@begles.example"}
        assert "attempts" not in own[0]
        assert people.super_referent["email"] in {entry.get("recipient") for entry in everything}
        assert len(own) < len([entry for entry in everything if entry["kind"] == "mail"])

    def test_who_represented_the_organisation_when_a_link_was_sent_stays_its_own(self, people):
        file = file_in(people, "awaiting_signature")
        pigma = people.context("super_referent")
        call_action("dinamis_application_transition", pigma, id=file["id"], transition="revoke_signature")
        person = {**FIELDS["representative"], "email": "nouvelle@begles.example"}
        call_action("dinamis_application_update", pigma, id=file["id"], representative=person)
        names = [entry["name"] for entry in thread(people, file, "referent")]
        assert names == ["signature_requested", "signature_revoked"]

    @pytest.mark.parametrize("role", ["executive_board", "member", "outsider", "anonymous"])
    def test_nobody_else_reads_a_thread_or_a_note(self, people, role):
        file = file_in(people, "submitted")
        kept = note(people, file, "Entre nous.")
        for action, data in (("dinamis_application_thread", {"id": file["id"]}),
                             ("dinamis_note_list", {"id": file["id"]}),
                             ("dinamis_note_create", {"id": file["id"], "text": "x"}),
                             ("dinamis_note_delete", {"id": kept["id"]})):  # fmt: skip
            with pytest.raises(tk.NotAuthorized):
                call_action(action, people.context(role), **data)

    def test_a_note_is_in_nothing_that_the_organisation_or_the_board_is_given(self, people):
        file = file_in(people, "submitted")
        note(people, file, "Secret de PIGMA")
        referent, board = people.context("referent"), people.context("executive_board")
        organization = people.organization["id"]
        for action, context, data in (
            ("dinamis_application_show", referent, {"id": file["id"]}),
            ("dinamis_application_history", referent, {"id": file["id"]}),
            ("dinamis_timeline_show", referent, {"organization_id": organization}),
            ("dinamis_personal_data_export", referent, {}),
            ("dinamis_application_show", board, {"id": file["id"]}),
            ("dinamis_application_history", board, {"id": file["id"]}),
        ):
            found = str(call_action(action, context, **data))
            assert "Secret" not in found
            assert "note.written" not in found


class TestNotes:
    @pytest.mark.parametrize(("text", "sentence"), [
        ("", "vide"), ("  \n ", "vide"), ("x" * (LONGEST_NOTE + 1), "caractères"), (None, "vide"), (["x"], "vide"),
    ])  # fmt: skip
    def test_what_is_no_note_is_refused(self, people, text, sentence):
        file = file_in(people, "draft")
        errors = refused("dinamis_note_create", people.context("super_referent"), id=file["id"], text=text)
        assert sentence in errors["text"][0]
        assert model.Session.query(ApplicationNote).count() == 0

    def test_the_longest_note_is_kept_and_a_text_is_cleaned(self, people):
        file = file_in(people, "draft")
        assert note(people, file, "é" * LONGEST_NOTE)["text"] == "é" * LONGEST_NOTE
        assert note(people, file, " a\r\nb\x00\u202e ")["text"] == "a\nb"

    def test_the_journal_has_who_and_when_and_never_the_text(self, people):
        file = file_in(people, "draft")
        kept = note(people, file, "Texte privé")
        call_action("dinamis_note_delete", people.context("super_referent"), id=kept["id"])
        lines = [line for line in journalled().all() if line.object_type == "note"]
        assert [(line.event, line.actor, line.object_id) for line in lines] == [
            ("note.written", people.super_referent["id"], kept["id"]),
            ("note.deleted", people.super_referent["id"], kept["id"]),
        ]
        assert all("Texte" not in str(line.data) for line in lines)
        assert model.Session.query(ApplicationNote).count() == 0
        with pytest.raises(tk.ObjectNotFound):
            call_action("dinamis_note_delete", people.context("super_referent"), id=kept["id"])

    def test_only_the_author_deletes_or_a_sysadmin(self, people):
        file = file_in(people, "draft")
        theirs, mine = note(people, file, "De l'administratrice.", "sysadmin"), note(people, file, "De PIGMA.")
        with pytest.raises(tk.NotAuthorized):
            call_action("dinamis_note_delete", people.context("super_referent"), id=theirs["id"])
        call_action("dinamis_note_delete", people.context("sysadmin"), id=mine["id"])
        left = call_action("dinamis_note_list", people.context("super_referent"), id=file["id"])
        assert [one["text"] for one in left["results"]] == ["De l'administratrice."]

    def test_the_author_finds_their_notes_among_their_data(self, people):
        file = file_in(people, "draft")
        note(people, file, "Ma note.")
        note(people, file, "D'une autre.", "sysadmin")
        mine = call_action("dinamis_personal_data_export", people.context("super_referent"))["notes"]
        assert [(one["application_id"], one["text"]) for one in mine] == [(file["id"], "Ma note.")]


class TestThePages:
    def test_the_files_page_shows_the_thread_with_nothing_typed_as_markup(self, people, app):
        file = file_in(people, "awaiting_signature")
        note(people, file, SCRIPT)
        pigma = headers(people.super_referent)
        forget()
        page = app.get(f"/dinamis/moderation/applications/{file['id']}", headers=pigma).body
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; rappeler Mme &lt;b&gt;Exemple&lt;/b&gt;" in page
        assert "Lien pour signer" in page
        assert "maire@begles.example" in page
        assert "{link}" not in page

    def test_an_empty_thread_says_what_comes_first(self, people, app):
        file = file_in(people, "draft")
        pigma = headers(people.super_referent)
        forget()
        page = app.get(f"/dinamis/moderation/applications/{file['id']}", headers=pigma).body
        assert "Rien n'a été envoyé" in page.replace("&#39;", "'")

    def test_a_note_is_written_and_deleted_by_forms_and_a_bad_one_is_not_lost(self, people, app):
        file = file_in(people, "draft")
        pigma, referent = headers(people.super_referent), headers(people.referent)
        address = f"/dinamis/moderation/applications/{file['id']}/notes"
        forget()
        too_long = app.post(address, headers=pigma, data={"text": "y" * (LONGEST_NOTE + 1)})
        assert too_long.status_code == 200
        assert "y" * (LONGEST_NOTE + 1) in too_long.body
        assert "is-invalid" in too_long.body
        assert "Bien reçu" in app.post(address, headers=pigma, data={"text": "Bien reçu"}).body
        kept = model.Session.query(ApplicationNote).one()
        forget()
        assert app.post(address, headers=referent, data={"text": "x"}, status=403).status_code == 403
        forget()
        page = app.post(f"{address}/{kept.id}/delete", headers=pigma).body
        assert "Bien reçu" not in page
        assert model.Session.query(ApplicationNote).count() == 0

    def test_a_failed_mail_leaves_again_from_the_thread(self, people, app):
        file = file_in(people, "awaiting_signature")
        row = model.Session.query(Mail).filter_by(object_id=file["id"]).one()
        row.failed_at, row.last_error, row.attempts = utcnow(), "refused", 3
        id_ = row.id
        model.Session.commit()
        pigma, referent = headers(people.super_referent), headers(people.referent)
        address = f"/dinamis/moderation/applications/{file['id']}/mails/{id_}/again"
        forget()
        assert address in app.get(f"/dinamis/moderation/applications/{file['id']}", headers=pigma).body
        forget()
        app.post(address, headers=referent, status=403)
        assert model.Session.get(Mail, id_).failed_at is not None
        forget()
        app.post(address, headers=pigma)
        assert model.Session.get(Mail, id_).failed_at is None

    def test_the_referents_tab_shows_its_mails_and_no_note(self, people, app):
        file = file_in(people, "submitted")
        note(people, file, "Entre nous.")
        referent, board = headers(people.referent), headers(people.executive_board)
        name = people.organization["name"]
        forget()
        page = app.get(f"/organization/{name}/dinamis", headers=referent).body
        assert "Lien pour signer" in page
        assert "Entre nous." not in page
        forget()
        assert "Entre nous." not in app.get(f"/dinamis/board/{file['id']}", headers=board).body
        forget()
        public = app.get(f"/organization/{name}/dinamis").body
        assert "maire@begles.example" not in public


def test_a_round_of_the_worker_is_told_by_the_thread(people, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "smtp.server", "127.0.0.1:9")
    file = file_in(people, "awaiting_signature")
    deliver_once()
    model.Session.expire_all()
    found = thread(people, file)[0]
    assert (found["state"], found["attempts"]) == ("due", 1)
    assert found["next_attempt_at"]
    assert found["last_error"]
