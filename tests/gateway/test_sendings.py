"""Grouped mails to DINAMIS: what leaves, once; what DINAMIS answers, recorded once."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts import privacy
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.gateway import sendings
from ckanext.dinamis_relais.gateway.chores import send_grouped
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Dossier, Mail, Sending, SendingAnswer, SendingRow
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.membership.model import Reminder
from ckanext.dinamis_relais.questions.model import Question
from tests.accounts.helpers import enter, move
from tests.gateway.conftest import BOARD, PREFIX
from tests.imagery_requests import test_requests as imagery
from tests.journalled import journalled
from tests.portal.pages import words
from tests.questions import helpers as questions

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "by_mail", "clean_redis")

FORMULA = "=HYPERLINK(1)"


def people_of(member, number):
    return [enter(member, email=f"p{n}@begles.example", family_name=f"N{n}") for n in range(number)]


def send(people, kind="account", by="super_referent"):
    return call_action("dinamis_sending_create", people.context(by), kind=kind)["results"]


def shown(people, sending, **more):
    return call_action("dinamis_sending_show", people.context("super_referent"), id=sending["id"], **more)


def answer(people, sending, rows=None, outcome="confirmed", by="super_referent", **more):
    chosen = {"all": True} if rows is None else {"ids": [row["id"] for row in rows]}
    data = {"id": sending["id"], "outcome": outcome, **chosen, **more}
    return call_action("dinamis_sending_answer", people.context(by), **data)


def lines_of(event):
    return journalled().filter_by(event=event).order_by(JournalLine.id).all()


def account_of(account):
    model.Session.rollback()
    return model.Session.get(Account, account["id"], populate_existing=True)


def zip_of(sending):
    model.Session.rollback()
    kept = model.Session.query(Dossier).filter_by(object_id=sending["id"]).one()
    assert hashlib.sha256(kept.content).hexdigest() == kept.sha256 == sending["sha256"]
    files = zipfile.ZipFile(io.BytesIO(kept.content))
    return {name: files.read(name) for name in files.namelist()}


def table_of(content):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


class TestLeaving:
    def test_accounts_leave_together_with_the_contract_and_a_table(self, member, post_office):
        first = enter(member, function=FORMULA, purpose="Îlots de chaleur", ends_on="31/12/2099")
        enter(member, "referent", email="demande@begles.example")  # nobody validated it: it never leaves
        [sending] = send(member)
        assert (sending["total"], sending["counts"], sending["recipient"]) == (1, {"waiting": 1}, BOARD)
        files = zip_of(sending)
        assert sorted(files) == ["LISEZMOI.txt", "SHA256SUMS", "comptes.csv", "comptes.json"]
        [row] = table_of(files["comptes.csv"])
        assert row == {
            "État demandé": "à ouvrir", "Nom": "Exemple", "Prénom": "Lou", "Courriel": first["email"],
            "Fonction": f"'{FORMULA}", "Usage": "Îlots de chaleur", "Rôle": "membre",
            "Organisation": "Commune de Bègles", "Fin": "31/12/2099", "Identifiant": first["id"],
        }  # fmt: skip
        body = json.loads(files["comptes.json"])[first["id"]]
        assert set(body) == {"version", "state", "membership_id", "organization_id", "email", "given_name",
                             "family_name", "function", "purpose", "role", "ends_on"}  # fmt: skip
        for line in files["SHA256SUMS"].decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(files[name]).hexdigest() == digest
        deliver_once()
        [message] = [one for one in post_office.messages if one["Subject"].startswith("Comptes à ouvrir")]
        [attached] = list(message.iter_attachments())
        assert hashlib.sha256(attached.get_payload(decode=True)).hexdigest() == sending["sha256"]
        assert sending["sha256"] in message.get_body().get_content().replace("\n", "")
        assert shown(member, sending)["mailed_at"]
        assert lines_of("sending.made")[-1].data["sha256"] == sending["sha256"]

    def test_what_left_is_told_as_awaiting_and_no_worker_sends_it_again(self, member):
        account = enter(member)
        assert account_of(account).delivered_version == 0
        listed = call_action("dinamis_delivery_list", member.context("super_referent"), q="account")
        assert [row["state"] for row in listed["results"]] == ["grouped"]
        send(member)
        row = account_of(account)
        assert (row.state, row.version, row.delivered_version, row.next_poll_at) == ("validated", 1, 1, None)
        found = call_action("dinamis_delivery_list", member.context("super_referent"), q="account", state="awaiting")
        assert [row["state"] for row in found["results"]] == ["awaiting"]
        with pytest.raises(tk.ValidationError, match="parti"):
            send(member)

    def test_a_newer_version_leaves_again_and_replaces_the_older(self, member):
        account = enter(member)
        [first] = send(member)
        move(member, account, "suspend", reason="Essai.")
        [second] = send(member)
        assert shown(member, first)["counts"] == {"replaced": 1}
        assert shown(member, second)["results"][0]["state"] == "suspended"
        with pytest.raises(tk.ValidationError, match="nouveau"):
            answer(member, first, shown(member, first)["results"])

    def test_one_that_cannot_be_prepared_holds_up_no_other(self, member):
        asked = [questions.ask(member, title=title) for title in ("Bonne", "Cassée")]
        for one in asked:
            questions.step(member, one, "escalate")
        bad = model.Session.get(Question, asked[1]["id"])
        bad.state = "broken"
        model.Session.commit()
        [sending] = send(member, "question")
        assert [one["object_id"] for one in shown(member, sending)["results"]] == [asked[0]["id"]]
        assert questions.row_of(asked[1]).failed_at is not None

    def test_a_question_leaves_with_its_thread_and_files(self, member, ckan_config, monkeypatch):
        asked = questions.ask(member, files=[questions.file("plan été.png"), questions.file("note.txt", b"mot")])
        questions.write(member, asked, "member", text="Encore ceci.")
        questions.step(member, asked, "escalate")
        [sending] = send(member, "question")
        files = zip_of(sending)
        body = json.loads(files["questions.json"])[asked["id"]]
        names = [one["file"] for one in body["documents"]]
        assert names == [f"pieces/{asked['id']}/01-plan-ete.png", f"pieces/{asked['id']}/02-note.txt"]
        assert [files[name] for name in names] == [questions.PNG, b"mot"]
        assert all("content" not in one for one in body["documents"])
        thread = files["echanges/001.txt"].decode()
        assert "De quand date cette image ?" in thread
        assert "Encore ceci." in thread
        person = model.User.get(member.member["id"])
        for content in files.values():
            assert person.email.encode() not in content
            assert person.fullname.encode() not in content
        [row] = table_of(files["questions.csv"])
        assert (row["Messages"], row["Fichiers joints"], row["Fichiers trop lourds"]) == ("2", "2", "0")

    def test_files_that_are_too_heavy_are_named_and_mails_are_cut(self, member, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.dossier_attach_mb", 1)
        heavy = b"%PDF-" + bytes(600_000)
        for number in range(2):
            asked = questions.ask(member, title=f"Question {number}", files=[
                questions.file("a.pdf", heavy), questions.file("b.pdf", heavy)])  # fmt: skip
            questions.step(member, asked, "escalate")
        sent = send(member, "question")
        assert [one["total"] for one in sent] == [1, 1]
        for one in sent:
            [body] = json.loads(zip_of(one)["questions.json"]).values()
            assert [paper["file"] is None for paper in body["documents"]] == [False, True]
        assert model.Session.query(Mail).filter_by(name="sending_question").count() == 2

    def test_a_request_leaves_with_its_area(self, asker):
        request = imagery.ask(asker)
        imagery.step(asker, request, "accept")
        [sending] = send(asker, "request")
        files = zip_of(sending)
        zones = json.loads(files["zones.geojson"])
        assert zones["features"][0]["geometry"]["type"] in ("Polygon", "MultiPolygon")
        [row] = table_of(files["demandes-d-images.csv"])
        assert (row["État"], row["Du"], row["Organisation"]) == ("à traiter", "01/01/2015", "Commune de Bègles")
        assert row["Surface (km²)"].replace(",", ".").startswith("52.")

    def test_without_an_address_the_zip_is_made_by_command_alone(self, member, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.board_email", "")
        enter(member)
        assert sendings.send_due() == 0
        [sending] = send(member)
        assert sending["recipient"] is None
        assert model.Session.query(Mail).filter_by(object_type="sending").count() == 0
        found = call_action("dinamis_sending_file", member.context("super_referent"), id=sending["id"])
        assert hashlib.sha256(found["content"]).hexdigest() == sending["sha256"]
        assert lines_of("sending.opened")[-1].actor == member.super_referent["id"]

    def test_where_dinamis_has_a_service_nothing_leaves_by_grouped_mail(self, member, ckan_config, monkeypatch):
        monkeypatch.setitem(ckan_config, PREFIX + "gateway.transport", "api")
        account = enter(member)
        assert sendings.send_due() == 0
        with pytest.raises(tk.ValidationError, match="service"):
            send(member)
        assert account_of(account).delivered_version == 0


class TestOnce:
    def test_the_worker_sends_each_kind_once_a_day(self, member):
        enter(member)
        assert sendings.send_due() == 1
        enter(member, email="b@begles.example")
        assert sendings.send_due() == 0
        model.Session.query(Reminder).update({"occasion": "2026-01-01"})
        model.Session.commit()
        assert sendings.send_due() == 1
        assert model.Session.query(Sending).count() == 2

    def test_a_day_without_anything_due_is_not_used_up(self, member):
        assert sendings.send_due() == 0
        enter(member)
        assert sendings.send_due() == 1

    def test_the_worker_waits_for_the_hour(self, member, ckan_config, monkeypatch):
        enter(member)
        for hour in (-1, 24):
            monkeypatch.setitem(ckan_config, PREFIX + "gateway.grouped_hour", hour)
            assert sendings.send_due() == 0

    def test_the_chore_of_the_worker_is_this_one(self, member, monkeypatch):
        from ckanext.dinamis_relais.gateway import chores
        from ckanext.dinamis_relais.rooms import collect

        monkeypatch.setattr(chores, "_last", [-chores.EVERY * 1e9])
        enter(member)
        assert send_grouped in collect("chores").values()
        assert send_grouped() == 1

    def test_eight_at_once_send_it_once(self, member, app):
        account = enter(member)
        actor, outcomes = member.super_referent["name"], []
        gate = threading.Barrier(8)

        def one():
            gate.wait()
            with app.flask_app.test_request_context():
                try:
                    context = {"user": actor, "ignore_auth": True}
                    call_action("dinamis_sending_create", context, kind="account")
                    outcomes.append("sent")
                except tk.ValidationError:
                    outcomes.append("nothing")
                finally:
                    model.Session.remove()

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["nothing"] * 7 + ["sent"]
        assert model.Session.query(SendingRow).filter_by(object_id=account["id"]).count() == 1
        assert model.Session.query(Mail).filter_by(name="sending_account").count() == 1

    def test_when_the_transaction_dies_nothing_has_left(self, member, monkeypatch):
        account = enter(member)

        def dies(*args, **kwargs):
            raise RuntimeError("power cut")

        monkeypatch.setattr(sendings.mailer, "write", dies)
        with pytest.raises(RuntimeError):
            sendings.send_due()
        row = account_of(account)
        assert (row.version, row.delivered_version) == (1, 0)
        assert model.Session.query(Sending).count() == model.Session.query(Dossier).count() == 0
        assert model.Session.query(Reminder).filter_by(kind="grouped_mail").count() == 0


class TestAnswers:
    def test_confirmed_in_bulk_the_accounts_are_active_and_each_person_is_told(self, member):
        people_of(member, 3)
        [sending] = send(member)
        proof = b"%PDF-1.4 oui %%EOF"
        done = answer(member, sending, reference="BE-7", file=proof)
        assert (done["state"], done["counts"]) == ("finished", {"done": 3})
        model.Session.expire_all()
        assert {row.state for row in model.Session.query(Account)} == {"active"}
        assert {row.reference for row in model.Session.query(Account)} == {"BE-7"}
        assert model.Session.query(Mail).filter_by(name="account_active").count() == 3
        rows = shown(member, sending)["results"]
        assert [row["outcome"] for row in rows] == ["confirmed"] * 3
        kept = call_action("dinamis_sending_proof", member.context("super_referent"), id=rows[0]["proof"])
        assert kept["content"] == proof
        lines = lines_of("delivery.confirmed")
        assert [line.actor for line in lines] == [member.super_referent["id"]] * 3
        assert {line.data["proof_sha256"] for line in lines} == {hashlib.sha256(proof).hexdigest()}
        assert not call_action("dinamis_delivery_list", member.context("super_referent"), q="account")["count"]

    def test_refused_the_account_is_closed_with_the_reason_and_not_told_back(self, member):
        account = enter(member)
        [sending] = send(member)
        with pytest.raises(tk.ValidationError) as raised:
            answer(member, sending, outcome="refused")
        assert "words" in raised.value.error_dict
        answer(member, sending, outcome="refused", words="Adresse inconnue.")
        row = account_of(account)
        assert (row.state, row.reason, row.version == row.delivered_version) == ("closed", "Adresse inconnue.", True)
        mail = model.Session.query(Mail).filter_by(name="account_closed").one()
        assert "Adresse inconnue." in mail.body

    def test_the_second_moderator_is_told_who_was_first(self, member):
        account = enter(member)
        [sending] = send(member)
        rows = shown(member, sending)["results"]
        answer(member, sending, rows)
        first = model.User.get(member.super_referent["id"]).fullname
        with pytest.raises(tk.ValidationError) as raised:
            answer(member, sending, rows, outcome="refused", words="Non.", by="sysadmin")
        assert first in raised.value.error_dict["ids"][0]
        assert account_of(account).state == "active"
        assert model.Session.query(SendingAnswer).count() == 1

    def test_eight_at_once_record_it_once(self, member, app):
        account = enter(member)
        [sending] = send(member)
        rows, gate, errors = [row["id"] for row in shown(member, sending)["results"]], threading.Barrier(8), []

        def one(number):
            gate.wait()
            with app.flask_app.test_request_context():
                context = {"user": member.super_referent["name"], "ignore_auth": True}
                words_ = {"outcome": "refused", "words": "Non."} if number % 2 else {"outcome": "confirmed"}
                try:
                    call_action("dinamis_sending_answer", context, id=sending["id"], ids=rows, **words_)
                except tk.ValidationError as error:
                    errors.append(error.error_dict)
                finally:
                    model.Session.remove()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(set(error) == {"ids"} for error in errors), errors
        assert account_of(account).state in ("active", "closed")
        told = model.Session.query(Mail).filter(Mail.name.in_(["account_active", "account_closed"])).count()
        decided = [*lines_of("delivery.confirmed"), *lines_of("delivery.refused")]
        assert (told, len(decided)) == (1, 1)

    def test_what_changed_since_it_left_is_not_confirmed_by_the_older_mail(self, member):
        account = enter(member)
        [sending] = send(member)
        move(member, account, "suspend", reason="Essai.")
        done = answer(member, sending)
        assert done["counts"] == {"failed": 1}
        assert account_of(account).state == "suspended"
        [again] = send(member)
        answer(member, again)
        assert account_of(account).state == "suspended"

    def test_one_that_fails_stops_no_other(self, member):
        first, second = people_of(member, 2)
        [sending] = send(member)
        move(member, first, "suspend", reason="Essai.")
        assert answer(member, sending)["counts"] == {"failed": 1, "done": 1}
        assert account_of(second).state == "active"

    def test_activated_on_its_own_page_it_is_not_awaited_any_more(self, member):
        account = enter(member)
        [sending] = send(member)
        move(member, account, "activate")
        assert shown(member, sending)["counts"] == {"confirmed": 1}

    def test_a_refused_suspension_stays_visible_as_failed(self, member):
        account = enter(member)
        send(member)
        move(member, account, "suspend", reason="Essai.")
        [sending] = send(member)
        answer(member, sending, outcome="refused", words="Compte inconnu.")
        row = account_of(account)
        assert (row.state, row.last_error) == ("suspended", "Compte inconnu.")
        call_action("dinamis_delivery_retry", member.context("super_referent"), target="account", id=row.id)
        assert len(send(member)) == 1

    def test_a_question_s_answer_goes_into_its_thread_once(self, member):
        asked = [questions.ask(member, title=title) for title in ("Une", "Deux")]
        for one in asked:
            questions.step(member, one, "escalate")
        [sending] = send(member, "question")
        rows = shown(member, sending)["results"]
        with pytest.raises(tk.ValidationError) as raised:
            answer(member, sending, rows, words="Le 12 juillet.")
        assert "words" in raised.value.error_dict
        answer(member, sending, rows[:1], words="Le 12 juillet.")
        thread = call_action("dinamis_question_show", member.context("member"), id=rows[0]["object_id"])
        last = thread["messages"][-1]
        assert (thread["state"], last["side"], last["text"]) == ("answered", "dinamis", "Le 12 juillet.")
        assert model.Session.query(Mail).filter_by(name="question_answered").count() == 1
        answer(member, sending, rows[1:])
        assert model.Session.get(Question, rows[1]["object_id"]).state == "escalated"

    def test_a_request_is_confirmed_then_its_statuses_are_recorded_on_its_page(self, asker):
        request = imagery.ask(asker)
        imagery.step(asker, request, "accept")
        [sending] = send(asker, "request")
        answer(asker, sending, reference="D-12")
        row = imagery.row_of(request)
        assert (row.state, row.reference) == ("accepted", "D-12")
        imagery.step(asker, request, "schedule")
        row = imagery.row_of(request)
        assert (row.state, row.version == row.delivered_version) == ("scheduled", True)

    def test_a_request_that_dinamis_refuses_is_not_accepted(self, asker):
        request = imagery.ask(asker)
        imagery.step(asker, request, "accept")
        [sending] = send(asker, "request")
        answer(asker, sending, outcome="refused", words="Zone non couverte.")
        row = imagery.row_of(request)
        assert (row.state, row.version == row.delivered_version) == ("rejected", True)
        assert "Zone non couverte." in model.Session.query(Mail).filter_by(name="request_rejected").one().body

    def test_a_status_recorded_on_the_page_confirms_the_mail(self, asker):
        request = imagery.ask(asker)
        imagery.step(asker, request, "accept")
        [sending] = send(asker, "request")
        imagery.step(asker, request, "process")
        assert shown(asker, sending)["counts"] == {"confirmed": 1}


class TestErasure:
    def ended(self, member):
        account = enter(member)
        others = people_of(member, 1)
        sent = send(member)
        move(member, account, "close", reason="Départ.")
        return account, others[0], sent[0]

    def test_the_zip_goes_with_the_person_and_its_hash_stays(self, member, post_office):
        account, _other, sending = self.ended(member)
        deliver_once()
        answer(member, sending, file=b"%PDF-1.4 Lou Exemple %%EOF", words="")
        call_action("dinamis_personal_data_erase", member.context("super_referent"), account_id=account["id"])
        found = shown(member, sending)
        assert found["wiped_at"]
        assert found["sha256"] == sending["sha256"]
        with pytest.raises(tk.ObjectNotFound):
            call_action("dinamis_sending_file", member.context("super_referent"), id=sending["id"])
        assert {row.content for row in model.Session.query(SendingAnswer)} == {None}
        assert model.Session.query(Dossier).filter_by(target="sending").one().content is None

    def test_a_mail_that_has_not_left_does_not_leave_and_the_others_leave_again(self, member, post_office):
        account, other, _sending = self.ended(member)
        call_action("dinamis_personal_data_erase", member.context("super_referent"), account_id=account["id"])
        deliver_once()
        assert not [one for one in post_office.messages if one["Subject"].startswith("Comptes à ouvrir")]
        again = send(member)
        assert other["id"] in {row["object_id"] for one in again for row in shown(member, one)["results"]}

    def test_the_export_of_a_person_s_data_says_when_they_left(self, member):
        account = enter(member)
        [sending] = send(member)
        found = call_action("dinamis_personal_data_export", member.context("super_referent"), account_id=account["id"])
        assert [(one["to"], one["sha256"]) for one in found["sent_to_dinamis"]] == [(BOARD, sending["sha256"])]
        assert privacy.erase_due() == 0


class TestPages:
    LIST = "/dinamis/moderation/deliveries/grouped/"

    def test_empty_then_sent_then_recorded(self, member, browser):
        page = browser.soup("super_referent", self.LIST)
        assert "Aucun envoi groupé" in words(page)
        account = enter(member)
        page = browser.soup("super_referent", self.LIST)
        assert "Envoyer maintenant" in words(page)
        sent = browser.post("super_referent", self.LIST, {"kind": "account"})
        assert sent.status_code == 302
        place = sent.headers["Location"].split("://")[-1].partition("/")[2]
        page = browser.soup("super_referent", f"/{place}")
        assert "Lou Exemple" in words(page)
        tick = page.find("input", {"name": "ids"})["value"]
        wrong = browser.post("super_referent", f"/{place}", {"ids": tick, "outcome": "refused"})
        assert wrong.status_code == 200
        assert "motif" in wrong.body
        done = browser.post("super_referent", f"/{place}", {"ids": tick, "outcome": "confirmed"})
        assert done.status_code == 302
        assert account_of(account).state == "active"
        zipped = browser.post("super_referent", f"/{place}/file")
        assert (zipped.status_code, zipped.mimetype) == (200, "application/zip")

    @pytest.mark.parametrize("role", ["executive_board", "referent", "member", "outsider"])
    def test_others_have_no_such_page(self, member, browser, role):
        enter(member)
        [sending] = send(member)
        for path in (self.LIST, f"{self.LIST}{sending['id']}"):
            assert browser.get(role, path).status_code == 403
        assert browser.post(role, f"{self.LIST}{sending['id']}/file").status_code == 403
        assert browser.post(role, self.LIST, {"kind": "account"}).status_code == 403
