"""The operator's words: saved, previewed, sent, put back; and no mail with a dead link."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.wording import catalogue, rules
from ckanext.dinamis_relais.wording.model import MailVersion
from tests.accounts.helpers import enter, forget
from tests.journalled import journalled
from tests.membership.helpers import file_in

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

MINE = {"subject": "Signez, {{ recipient_name }}", "body": "Bonjour,\r\nvoici {{ link }} pour {{ organization }}."}


def save(people, name="signature_requested", **more):
    given = {"id": name, **MINE, **more}
    return call_action("dinamis_mail_update", people.context("super_referent"), **given)


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_shipped_text_passes_the_checks_of_the_operators(people, language):
    for name in catalogue.names():
        shipped = ["\n".join(mailer.shipped(name, one)) for one in catalogue.LANGUAGES]
        sample = catalogue.sample(name, language)
        subject, body = mailer.shipped(name, language)
        assert rules.problems(subject, body, shipped, sample) == [], name
        assert rules.tags(*shipped) <= set(sample), name
        shown = call_action("dinamis_mail_show", people.context("super_referent"), id=name, language=language)
        assert tk.h.dinamis_mail_recipients(shown["recipients"])


def test_every_mail_says_when_it_leaves(people):
    for mail in call_action("dinamis_mail_list", people.context("super_referent"))["results"]:
        assert tk.h.dinamis_mail_when(mail), mail["name"]


def test_the_next_mail_leaves_with_it_and_the_shipped_one_can_come_back(people):
    shown = save(people)
    assert (shown["number"], shown["edited"]) == (1, True)
    file_in(people, "awaiting_signature")
    mail = model.Session.query(Mail).filter_by(name="signature_requested").one()
    assert mail.subject == "Signez, Alix Exemple"
    assert mail.body == "Bonjour,\nvoici {link} pour Commune de Bègles.\n"
    back = call_action("dinamis_mail_reset", people.context("super_referent"), id="signature_requested")
    assert (back["edited"], back["body"]) == (False, back["shipped"]["body"])
    assert [(v["number"], bool(v["body"])) for v in back["versions"]] == [(2, False), (1, True)]
    events = [line.event for line in journalled().filter_by(object_id="signature_requested")]
    assert sorted(events) == ["mail_text.changed", "mail_text.reset"]


def test_one_language_leaves_the_other_alone(people):
    save(people, language="en")
    assert mailer.source("signature_requested", "fr") == mailer.shipped("signature_requested", "fr")
    listed = call_action("dinamis_mail_list", people.context("super_referent"))["results"]
    assert next(m for m in listed if m["name"] == "signature_requested")["edited"] == ["en"]


def test_a_wrong_tag_is_named_with_what_to_do(people):
    with pytest.raises(tk.ValidationError) as raised:
        save(people, body="Bonjour {{ nom }}")
    text = raised.value.error_dict["body"][0]
    assert "{{ nom }}" in text
    assert "organization" in text
    with pytest.raises(tk.ValidationError) as raised:
        save(people, body="Bonjour")
    assert "{{ link }}" in raised.value.error_dict["body"][0]
    assert model.Session.query(MailVersion).count() == 0


def test_two_people_at_once(people):
    save(people, seen=0)
    with pytest.raises(tk.ValidationError) as raised:
        save(people, seen=0)
    assert "seen" in raised.value.error_dict


def test_a_text_that_cannot_be_filled_in_never_holds_up_a_decision(people):
    model.Session.add(MailVersion(name="signature_requested", language="fr", number=1, subject="S",
                                  body="{{ gone }}", made_by="x"))  # fmt: skip
    model.Session.commit()
    file_in(people, "awaiting_signature")
    mail = model.Session.query(Mail).filter_by(name="signature_requested").one()
    assert mail.subject.startswith("Votre signature est attendue")


def test_replies_go_to_people(people, monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.contact_email", "pigma@exemple.fr")
    file_in(people, "awaiting_signature")
    assert model.Session.query(Mail).filter_by(name="signature_requested").one().reply_to == "pigma@exemple.fr"


def leads_somewhere(app, address):
    path = urlsplit(address).path
    try:
        app.flask_app.url_map.bind("test.ckan.net").match(path)
    except RequestRedirect:
        return True
    except NotFound:
        return False
    return True


def test_no_dead_link_in_any_mail(app, people):
    for name in catalogue.names():
        for language in catalogue.LANGUAGES:
            _subject, body = mailer.shipped(name, language)
            filled = rules.fill(body, catalogue.sample(name, language))
            for address in re.findall(r"https?://[^\s)]+", filled):
                assert leads_somewhere(app, address.rstrip(".,")), (name, address)
    file_in(people, "accepted")
    enter(people)
    sent = model.Session.query(Mail).all()
    assert len(sent) > 5
    for mail in sent:
        body = mailer.prepare(mail)["body"]
        for address in re.findall(r"https?://[^\s)]+", body):
            assert leads_somewhere(app, address.rstrip(".,")), (mail.name, address)


def test_the_pages(app, people):
    def token(user):
        made = call_action("api_token_create", {"ignore_auth": True, "user": user["name"]}, user=user["name"], name="t")
        return {"Authorization": made["token"]}

    pigma, other = token(people.super_referent), token(people.referent)
    address = "/dinamis/moderation/mails/signature_requested"
    forget()
    assert "Textes des courriels" in app.get("/dinamis/moderation/mails", headers=pigma).body
    page = app.get(address, headers=pigma).body
    assert "{{ link }}" in page
    assert "Commune d&#39;Exempleville" in page
    wrong = app.post(address, headers=pigma, data={**MINE, "body": "Bonjour {{ nom }}"}).body
    assert "Bonjour {{ nom }}" in wrong
    assert "is-invalid" in wrong
    tried = app.post(address, headers=pigma, data={**MINE, "preview": "1"}).body
    assert "Signez, Alix Exemple" in tried
    assert model.Session.query(MailVersion).count() == 0
    assert "Enregistré" in app.post(address, headers=pigma, data=MINE).body
    assert "Vos mots (fr)" in app.get("/dinamis/moderation/mails", headers=pigma).body
    assert "Revenir au texte" in app.get(address, headers=pigma).body
    assert app.post(f"{address}/reset", headers=pigma).status_code == 200
    assert app.get("/dinamis/moderation/mails/none", headers=pigma, status=404).status_code == 404
    forget()
    assert app.get("/dinamis/moderation/mails", headers=other, status=403).status_code == 403
