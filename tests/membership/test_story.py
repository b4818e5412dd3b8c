"""A file from draft to accepted, through the action API, with each paper, letter and journal line."""

from __future__ import annotations

import re

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.gateway import secrets
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.model import Application, Membership

from .helpers import ACCEPTED, file_in, sign, token_of

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


class TestStory:
    def test_from_draft_to_member(self, people):
        file = file_in(people, "submitted")
        assert re.fullmatch(r"PIGMA-DINAMIS-\d{4}-\d{4}", file["agreement_number"])
        done = call_action("dinamis_application_transition", people.context("executive_board"),
                           id=file["id"], transition="accept", reference="BE-2026-1")  # fmt: skip
        assert done["state"] == "accepted"
        member = call_action("dinamis_membership_show", people.context("anonymous"),
                             organization_id=people.organization["id"])  # fmt: skip
        assert member["state"] == "active"
        assert member["siren"] == "213300395"
        kinds = [d["kind"] for d in call_action("dinamis_document_list", people.context("referent"),
                                                application_id=file["id"])["results"]]  # fmt: skip
        assert kinds == ["amendment", "signed_amendment", "membership_deed"]
        assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]

    def test_every_step_is_in_the_history(self, people):
        file = file_in(people, "submitted")
        history = call_action("dinamis_application_history", people.context("referent"), id=file["id"])
        assert [(line["state_from"], line["state_to"]) for line in history["results"]][1:] == [
            ("draft", "awaiting_signature"),
            ("awaiting_signature", "signed"),
            ("signed", "under_review"),
            ("under_review", "submitted"),
        ]

    def test_a_refusal_needs_a_reason_and_says_it_in_the_mail(self, people):
        file = file_in(people, "submitted")
        board = people.context("executive_board")
        with pytest.raises(tk.ValidationError) as raised:
            call_action("dinamis_application_transition", board, id=file["id"], transition="refuse")
        assert "reason" in raised.value.error_dict
        call_action(
            "dinamis_application_transition", board, id=file["id"], transition="refuse", reason="Hors périmètre."
        )
        mail = model.Session.query(Mail).filter_by(name="application_refused", recipient="maire@begles.example").one()
        assert "Hors périmètre." in mail.body
        assert model.Session.query(Membership).count() == 0

    def test_an_unknown_transition_names_the_state_and_what_is_allowed(self, people):
        file = file_in(people, "draft")
        with pytest.raises(tk.ValidationError) as raised:
            call_action(
                "dinamis_application_transition", people.context("super_referent"), id=file["id"], transition="accept"
            )
        text = raised.value.error_dict["transition"][0]
        assert "draft" in text
        assert "request_signature" in text
        assert model.Session.get(Application, file["id"]).state == "draft"

    def test_the_super_referent_cannot_decide(self, people):
        file = file_in(people, "submitted")
        for role in ("super_referent", "sysadmin", "referent"):
            with pytest.raises(tk.NotAuthorized):
                call_action("dinamis_application_transition", people.context(role), id=file["id"], transition="accept")

    def test_a_correction_that_changes_what_was_signed_asks_for_a_new_signature(self, people):
        file = file_in(people, "under_review")
        pigma = people.context("super_referent")
        call_action(
            "dinamis_application_transition", pigma, id=file["id"], transition="ask_changes", reason="Autre maire."
        )
        new = {**file["representative"], "family_name": "Nouvelle"}
        call_action("dinamis_application_update", people.context("referent"), id=file["id"], representative=new)
        again = call_action(
            "dinamis_application_transition", people.context("referent"), id=file["id"], transition="resubmit"
        )
        assert again["state"] == "awaiting_signature"
        assert again["agreement_number"] == file["agreement_number"]

    def test_a_correction_of_something_else_goes_back_to_where_it_was(self, people):
        file = file_in(people, "under_review")
        pigma = people.context("super_referent")
        call_action("dinamis_application_transition", pigma, id=file["id"], transition="ask_changes", reason="Adresse.")
        call_action(
            "dinamis_application_update", people.context("referent"), id=file["id"], address="77 rue Calixte Camelle"
        )
        again = call_action(
            "dinamis_application_transition", people.context("referent"), id=file["id"], transition="resubmit"
        )
        assert again["state"] == "under_review"

    def test_one_open_file_an_organization(self, people):
        file_in(people, "draft")
        with pytest.raises(tk.ValidationError) as raised:
            file_in(people, "draft")
        assert "organization_id" in raised.value.error_dict

    def test_the_board_sees_nothing_of_a_file_before_it_is_submitted(self, people):
        file = file_in(people, "signed")
        board = people.context("executive_board")
        document = call_action("dinamis_document_list", people.context("referent"), application_id=file["id"])[
            "results"
        ][0]
        for action, key, value in (
            ("dinamis_application_show", "id", file["id"]),
            ("dinamis_application_history", "id", file["id"]),
            ("dinamis_document_list", "application_id", file["id"]),
            ("dinamis_document_show", "id", document["id"]),
        ):
            with pytest.raises(tk.ObjectNotFound):
                call_action(action, board, **{key: value})
        assert call_action("dinamis_application_list", board)["count"] == 0

    def test_a_signed_file_cannot_be_changed(self, people):
        file = file_in(people, "signed")
        with pytest.raises(tk.ValidationError):
            call_action("dinamis_application_update", people.context("super_referent"), id=file["id"], address="x")


class TestSignature:
    def test_the_token_is_nowhere_in_clear(self, people):
        file_in(people, "awaiting_signature")
        mail = model.Session.query(Mail).filter_by(name="signature_requested").one()
        assert "{link}" in mail.body
        assert token_of(mail) not in mail.body
        assert secrets.decrypt(mail.secrets)["link"].startswith("http://test.ckan.net/dinamis/sign/")

    def test_a_link_signs_once(self, people):
        file_in(people, "awaiting_signature")
        token = token_of(model.Session.query(Mail).filter_by(name="signature_requested").one())
        sign(token)
        with pytest.raises(tk.ValidationError) as raised:
            sign(token)
        assert "token" in raised.value.error_dict

    def test_every_box_must_be_ticked(self, people):
        file = file_in(people, "awaiting_signature")
        token = token_of(model.Session.query(Mail).filter_by(name="signature_requested").one())
        with pytest.raises(tk.ValidationError) as raised:
            sign(token, accepted={**ACCEPTED, "charter": False})
        assert "charter" in raised.value.error_dict["accepted"][0]
        assert model.Session.get(Application, file["id"]).state == "awaiting_signature"

    def test_a_changed_token_opens_nothing(self, people):
        file_in(people, "awaiting_signature")
        token = token_of(model.Session.query(Mail).filter_by(name="signature_requested").one())
        with pytest.raises(tk.ObjectNotFound):
            sign(token[:-1] + ("A" if token[-1] != "A" else "B"))

    def test_a_new_link_revokes_the_old_one(self, people):
        file = file_in(people, "awaiting_signature")
        old = token_of(model.Session.query(Mail).filter_by(name="signature_requested").one())
        call_action(
            "dinamis_application_transition", people.context("referent"), id=file["id"], transition="resend_signature"
        )
        with pytest.raises(tk.ValidationError):
            sign(old)

    def test_an_expired_link_says_so(self, people, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.signature_link_days", 0)
        file_in(people, "awaiting_signature")
        token = token_of(model.Session.query(Mail).filter_by(name="signature_requested").one())
        shown = call_action("dinamis_signature_show", {"user": "", "ignore_auth": False}, token=token)
        assert shown["status"] == "expired"
        with pytest.raises(tk.ValidationError):
            sign(token)
