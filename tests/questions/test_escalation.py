"""A question on its way to DINAMIS and back, over real HTTP with the sandbox as DINAMIS."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re

import pytest
import requests
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.questions.deliverables import question as target
from ckanext.dinamis_relais.questions.model import QuestionMessage
from ckanext.dinamis_relais.sandbox import contract, questions
from tests.questions.helpers import PNG, ask, file, row_of, step, write

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")


def held(dinamis, question):
    return questions.read(dinamis.state, question["id"])


def round_trip(question):
    """One round of the worker, with the next question about an answer being due."""
    row = row_of(question)
    row.next_poll_at = utcnow() - dt.timedelta(seconds=1) if row.next_poll_at else None
    model.Session.commit()
    deliver_once()


def type_answer(dinamis, question, text):
    """What a person of DINAMIS does: opens the page, types, sends."""
    page = requests.get(f"{dinamis.url}/board-questions/{question['id']}", timeout=20)
    action = re.search(r'action="([^"]+/answer)"', page.text)[1]
    return requests.post(f"{dinamis.url}{action}", data={"text": text}, timeout=20)


def escalated(people, **more):
    question = ask(people, **more)
    step(people, question, "escalate")
    deliver_once()
    return question


def test_the_whole_thread_leaves_without_the_persons_name(people, dinamis):
    question = ask(people, files=[file("capture.png")], about="/dinamis/images", about_title="Images")
    write(people, question, "super_referent", "Laquelle ?")
    write(people, question, "member", "La première.")
    deliver_once()
    with pytest.raises(KeyError):
        held(dinamis, question)
    step(people, question, "escalate")
    deliver_once()
    found = held(dinamis, question)
    body = found["body"]
    contract.check("Question", body)
    assert (found["status"], body["state"], body["title"]) == ("received", "escalated", "Date de l'image")
    assert [(m["side"], m["text"]) for m in body["messages"]] == [
        ("person", "De quand date cette image ?"), ("relay", "Laquelle ?"), ("person", "La première.")]  # fmt: skip
    assert body["messages"][0]["documents"] == [body["documents"][0]["id"]]
    assert base64.b64decode(body["documents"][0]["content"]) == PNG
    assert body["about"] == {"kind": "page", "title": "Images", "url": body["about"]["url"]}
    assert body["about"]["url"].endswith("/dinamis/images")
    text = json.dumps(body, ensure_ascii=False)
    for secret in (people.member["fullname"], people.member["name"], people.member["email"], people.member["id"]):
        assert secret not in text
    row = row_of(question)
    assert (row.state, row.reference) == ("escalated", found["reference"])
    assert row.next_poll_at is not None
    [mail] = model.Session.query(Mail).filter_by(name="question_escalated")
    assert mail.recipient == people.member["email"]


def test_the_answer_comes_back_into_the_thread_and_to_the_person(people, dinamis):
    question = escalated(people)
    round_trip(question)
    assert row_of(question).state == "escalated"
    assert type_answer(dinamis, question, "Du 12 juillet 2023.\n\n<script>alert(1)</script>").status_code == 200
    round_trip(question)
    shown = call_action("dinamis_question_show", people.context("member"), id=question["id"])
    assert (shown["state"], shown["waiting_side"]) == ("answered", "person")
    last = shown["messages"][-1]
    assert (last["side"], last["author"]) == ("dinamis", None)
    assert last["text"] == "Du 12 juillet 2023.\n\n<script>alert(1)</script>"
    [mail] = model.Session.query(Mail).filter_by(name="question_answered")
    assert mail.recipient == people.member["email"]
    assert "Du 12 juillet 2023." in mail.body
    assert "DINAMIS" in mail.body
    row = row_of(question)
    assert (row.version, row.delivered_version, row.next_poll_at) == (1, 1, None)
    assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]


def test_no_answer_is_taken_twice(people, dinamis):
    question = escalated(people)
    type_answer(dinamis, question, "Du 12 juillet 2023.")
    round_trip(question)
    write(people, question, "member", "Et l'heure ?")
    step(people, question, "escalate")
    deliver_once()
    assert held(dinamis, question)["status"] == "received"
    assert row_of(question).state == "escalated"
    assert model.Session.query(QuestionMessage).filter_by(side="dinamis").count() == 1
    assert [m["side"] for m in held(dinamis, question)["body"]["messages"]] == ["person", "dinamis", "person"]
    type_answer(dinamis, question, "À 11 h.")
    round_trip(question)
    assert row_of(question).state == "answered"
    texts = [m.body for m in model.Session.query(QuestionMessage).filter_by(side="dinamis")]
    assert sorted(texts) == ["Du 12 juillet 2023.", "À 11 h."]


def test_what_the_person_adds_meanwhile_follows(people, dinamis):
    question = escalated(people)
    write(people, question, "member", "Voici la zone.", files=[file("zone.png")])
    assert row_of(question).state == "escalated"
    deliver_once()
    body = held(dinamis, question)["body"]
    assert (body["version"], body["messages"][-1]["text"], len(body["documents"])) == (2, "Voici la zone.", 1)


@pytest.mark.parametrize("closed", [False, True])
def test_answered_or_closed_here_nothing_more_is_awaited_there(people, dinamis, closed):
    question = escalated(people)
    if closed:
        step(people, question, "close", "member")
    else:
        write(people, question, "super_referent", "PIGMA a trouvé.")
    deliver_once()
    assert held(dinamis, question)["status"] == ("closed" if closed else "answered")
    answer = requests.post(f"{dinamis.url}/board-questions/{question['id']}/answer", data={"text": "x"}, timeout=20)
    assert answer.status_code == 422
    assert row_of(question).next_poll_at is None


def test_an_answer_that_crosses_a_closing_is_kept_and_sent(people, dinamis):
    question = escalated(people)
    type_answer(dinamis, question, "Du 12 juillet 2023.")
    step(people, question, "close", "member")
    deliver_once()
    shown = call_action("dinamis_question_show", people.context("member"), id=question["id"])
    assert (shown["state"], shown["messages"][-1]["side"]) == ("closed", "dinamis")
    assert model.Session.query(Mail).filter_by(name="question_answered").count() == 1


def test_while_dinamis_is_down_the_question_stays_due(people, dinamis):
    requests.post(
        f"{dinamis.url}/control/outage", json={"service": "gateway", "mode": "503", "seconds": 60}, timeout=20
    )
    question = escalated(people)
    row = row_of(question)
    assert (row.state, row.delivered_version) == ("escalated", 0)
    shown = call_action("dinamis_question_show", people.context("super_referent"), id=question["id"])
    assert "503" in shown["delivery_error"]
    assert call_action("dinamis_question_show", people.context("member"), id=question["id"])["delivery_error"] is None
    requests.post(f"{dinamis.url}/control/outage", json={"service": "gateway", "mode": "ok"}, timeout=20)
    call_action("dinamis_delivery_retry", people.context("super_referent"), target="question", id=question["id"])
    deliver_once()
    assert held(dinamis, question)["status"] == "received"


@pytest.mark.parametrize(
    "answers",
    [None, "x", [None], [{"id": 3, "text": "x"}], [{"id": "a"}], [{"id": "a", "text": " \x00"}],
     [{"id": "", "text": "x"}]],
)  # fmt: skip
def test_an_answer_that_is_not_as_the_contract_says_changes_nothing(people, dinamis, answers):
    question = escalated(people)
    row = row_of(question)
    target.apply(row, {"answers": answers, "reference": "R-9"})
    model.Session.commit()
    row = row_of(question)
    assert (row.state, row.reference) == ("escalated", "R-9")
    assert row.next_poll_at is not None
    assert model.Session.query(QuestionMessage).count() == 1


@pytest.mark.ckan_config("ckanext.dinamis_relais.gateway.transport", "dossier")
def test_without_http_pigma_brings_the_answer(people):
    question = escalated(people)
    assert row_of(question).delivered_version == 0
    assert write(people, question, "super_referent", "DINAMIS répond : oui.")["state"] == "answered"
