"""A person's questions among their data: given to them, erased with their account, here and at DINAMIS."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.questions.model import Question, QuestionFile
from ckanext.dinamis_relais.sandbox import questions
from tests.accounts.helpers import context_of, enter, move, open_account
from tests.membership.helpers import file_in
from tests.questions.helpers import ask, file, row_of, step, write

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

SECRETS = ("Lou", "Exemple", "chaleur", "secret.png")


@pytest.fixture
def asked(people, dinamis):
    """A person with an account, and their question, answered and passed on."""
    file_in(people, "accepted")
    account = enter(people)
    login = open_account(account)["login"]
    context = context_of(login)
    question = call_action(
        "dinamis_question_create", context, title="Question de Lou", text="Îlots de chaleur, signé Lou Exemple",
        files=[file("secret.png")], about="/dinamis/images", about_title="La page de Lou",
    )  # fmt: skip
    write(people, question, "super_referent", "Bonjour Lou")
    call_action("dinamis_question_reply", context_of(login), id=question["id"], text="Encore, Lou")
    step(people, question, "escalate")
    deliver_once()
    return account, login, question


def test_the_export_holds_the_threads(people, asked):
    account, login, question = asked
    ask(people, "outsider", title="D'une autre personne")
    own = call_action("dinamis_personal_data_export", context_of(login))
    other = call_action("dinamis_personal_data_export", people.context("super_referent"), account_id=account["id"])
    for found in (own, other):
        [shown] = found["questions"]
        assert (shown["id"], shown["title"]) == (question["id"], "Question de Lou")
        assert [m["text"] for m in shown["messages"]] == [
            "Îlots de chaleur, signé Lou Exemple", "Bonjour Lou", "Encore, Lou"]  # fmt: skip
        assert shown["messages"][0]["files"][0]["name"] == "secret.png"
        assert "D'une autre personne" not in json.dumps(found, default=str)
    assert len(call_action("dinamis_personal_data_export", people.context("outsider"))["questions"]) == 1


def test_erased_no_text_no_file_and_no_name_are_left(people, asked, dinamis):
    account, _login, question = asked
    other = ask(people, "outsider", text="Une autre, qui reste")
    move(people, account, "close", reason="Fin.")
    call_action("dinamis_personal_data_erase", people.context("super_referent"), account_id=account["id"])
    row = row_of(question)
    assert (row.state, row.user_id, row.title, row.about_title) == ("closed", None, "", "/dinamis/images")
    assert row.erased_at is not None
    assert model.Session.query(QuestionFile).count() == 0
    for table in (
        "dinamis_question",
        "dinamis_question_message",
        "dinamis_mail",
        "dinamis_journal_private",
        "dinamis_journal_waiting",
    ):
        rows = [str(one) for one in model.Session.execute(sa.text(f"SELECT * FROM {table}"))]
        text = "\n".join(one for one in rows if "application" not in one)
        for secret in SECRETS:
            assert secret not in text, (table, secret)
    assert row_of(other).title == other["title"]
    deliver_once()
    there = questions.read(dinamis.state, question["id"])
    for secret in SECRETS:
        assert secret not in json.dumps(there, ensure_ascii=False)
    assert there["status"] == "closed"
    assert (
        model.Session.query(Mail)
        .filter(Mail.object_id == question["id"], Mail.version > Mail.delivered_version)
        .count()
        == 0
    )
    shown = call_action("dinamis_question_show", people.context("super_referent"), id=question["id"])
    assert (shown["asker"], shown["transitions"]) == (None, [])
    assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]


def test_an_answer_that_comes_after_the_erasure_is_not_taken(people, asked, dinamis):
    account, _login, question = asked
    questions.answer(dinamis.state, question["id"], "Bonjour Lou, voici.")
    move(people, account, "close", reason="Fin.")
    call_action("dinamis_personal_data_erase", people.context("super_referent"), account_id=account["id"])
    deliver_once()
    shown = call_action("dinamis_question_show", people.context("super_referent"), id=question["id"])
    assert {message["text"] for message in shown["messages"]} == {""}


def test_while_another_account_of_the_person_lives_their_questions_stay(people, asked):
    from ckanext.dinamis_relais.accounts import privacy
    from ckanext.dinamis_relais.accounts.model import Account

    account, _login, question = asked
    row = model.Session.get(Account, account["id"])
    model.Session.add(Account(organization_id="elsewhere", membership_id="m", user_id=row.user_id, email=row.email,
                              given_name="Lou", family_name="Exemple", created_by="x", state="closed"))  # fmt: skip
    model.Session.commit()
    privacy.erase(row, "system")
    model.Session.commit()
    assert model.Session.get(Question, question["id"], populate_existing=True).title == "Question de Lou"
