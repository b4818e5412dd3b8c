"""Questions by the real actions: who may do what, what each step leaves, races."""

from __future__ import annotations

import datetime as dt
import threading

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal.model import JournalLine, JournalPrivate
from ckanext.dinamis_relais.questions.model import Question, QuestionFile, QuestionMessage
from ckanext.dinamis_relais.questions.rules import BY_REPLY, MACHINE, WAITING
from tests.accounts.helpers import enter, open_account
from tests.conftest import ROLES
from tests.journalled import journalled
from tests.membership.helpers import file_in
from tests.questions.helpers import PNG, ask, file, put, row_of, step, write

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

PIGMA = {"sysadmin", "super_referent"}


def mails(question, name=None):
    query = model.Session.query(Mail).filter_by(object_type="question", object_id=question["id"])
    return (query.filter_by(name=name) if name else query).order_by(Mail.created_at).all()


def expected(state, name, role):
    if role not in PIGMA | {"member"}:
        return "refused"
    if name == "write":
        return "open" if role == "member" and state != "escalated" else "escalated" if role == "member" else "refused"
    if name == "close" or role in PIGMA:
        row = next((row for row in MACHINE.allowed(state) if row.name == name), None)
        return row.target if row else "wrong"
    return "wrong" if name == "escalate" and state != "open" else "refused"


def outcome(people, question, name, role):
    try:
        if name in BY_REPLY:
            # Who writes is what makes a message a question or an answer.
            if role in PIGMA and name == "write":
                return "refused"
            if role == "member" and name == "answer":
                return "refused"
            return write(people, question, role)["state"]
        return step(people, question, name, role)["state"]
    except tk.NotAuthorized:
        return "refused"
    except tk.ValidationError as error:
        assert "transition" in error.error_dict
        return "wrong"


def test_the_machine_by_every_role(people):
    question = ask(people)
    for state in MACHINE.states:
        for name in MACHINE.transitions:
            for role in ROLES:
                put(question, state)
                found = outcome(people, question, name, role)
                assert found == expected(state, name, role), (state, name, role)


def test_each_row_leaves_its_line_and_its_message(people):
    question = ask(people)
    for row in MACHINE:
        put(question, row.source)
        before = len(mails(question))
        if row.name in BY_REPLY:
            write(people, question, "member" if row.name == "write" else "super_referent", "Texte secret.")
        else:
            step(people, question, row.name)
        last = journalled().filter_by(event=row.event, object_id=question["id"]).order_by(JournalLine.id.desc()).first()
        assert (last.data["state_from"], last.data["state_to"]) == (row.source, row.target)
        sent = mails(question)
        assert len(sent) == before + 1, row
        assert sent[-1].name == row.mail
        told = {"super_referent": "super_referent"}.get(sent[-1].name, "")
        recipient = people.super_referent if row.mail == "question_message" else people.member
        assert (sent[-1].recipient, told) == (recipient["email"], "")
    for line in journalled().filter_by(object_type="question"):
        assert "secret" not in str(line.data)
    assert model.Session.query(JournalPrivate).count() == 0
    assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]


def test_a_question_from_the_first_word_to_the_last(people):
    question = ask(people, files=[file("capture.png")])
    assert (question["state"], question["waiting_side"], question["waiting_days"]) == ("open", "pigma", 0)
    [first] = mails(question)
    assert (first.name, first.recipient) == ("question_message", people.super_referent["email"])
    assert "De quand date cette image ?" in first.body
    assert f"/dinamis/questions/{question['id']}" in first.body
    answered = write(people, question, "super_referent", "Du 12 juillet 2023.", seen=question["last_position"])
    assert (answered["state"], answered["waiting_side"]) == ("answered", "person")
    assert "Du 12 juillet 2023." in mails(question, "question_answered")[0].body
    again = write(people, question, "member", "Merci, et l'heure ?")
    assert again["state"] == "open"
    write(people, question, "super_referent", "11 h.")
    closed = step(people, question, "close", "member")
    assert (closed["state"], closed["waiting_side"], closed["waiting_days"]) == ("closed", None, None)
    assert mails(question, "question_closed") == []
    shown = call_action("dinamis_question_show", people.context("member"), id=question["id"])
    assert [(m["position"], m["side"]) for m in shown["messages"]] == [
        (1, "person"), (2, "pigma"), (3, "person"), (4, "pigma")]  # fmt: skip
    assert [f["name"] for f in shown["messages"][0]["files"]] == ["capture.png"]
    assert {m["author"] for m in shown["messages"] if m["side"] == "pigma"} == {None}
    events = [line.event for line in journalled().filter_by(object_id=question["id"])]
    assert sorted(events) == sorted([
        "question.asked", "question.answered", "question.reopened", "question.answered", "question.closed"
    ])  # fmt: skip


def test_only_who_asked_and_pigma_read_a_thread(people):
    question = ask(people, files=[file("capture.png")])
    file_id = question["messages"][0]["files"][0]["id"]
    for role in ROLES:
        for action, id_ in (("dinamis_question_show", question["id"]), ("dinamis_question_file_show", file_id)):
            if role in PIGMA | {"member"}:
                assert call_action(action, people.context(role), id=id_)["id"] == id_
            else:
                with pytest.raises(tk.NotAuthorized):
                    call_action(action, people.context(role), id=id_)
    for role in ("referent", "outsider", "executive_board"):
        assert call_action("dinamis_question_list", people.context(role)) == {
            "count": 0, "results": [], "states": {}, "late": 0}  # fmt: skip
    assert call_action("dinamis_question_list", people.context("super_referent"))["count"] == 1
    assert call_action("dinamis_question_list", people.context("super_referent"), mine=True)["count"] == 0
    with pytest.raises(tk.NotAuthorized):
        call_action("dinamis_question_list", people.context("anonymous"))


def test_what_does_not_exist_says_no_more_than_what_is_not_ones_own(people):
    for id_ in ("none", "", ["x"], {"a": 1}):
        with pytest.raises((tk.NotAuthorized, tk.ValidationError)):
            call_action("dinamis_question_show", people.context("outsider"), id=id_)
        with pytest.raises((tk.ObjectNotFound, tk.ValidationError)):
            call_action("dinamis_question_show", people.context("super_referent"), id=id_)


def test_a_user_without_organisation_asks_and_a_member_asks_for_theirs(people):
    file_in(people, "accepted")
    assert ask(people, "outsider")["organization_id"] is None
    account = enter(people, email=people.member["email"])
    open_account(account, people.member["name"])
    assert ask(people, "member")["organization_title"] == "Commune de Bègles"


def test_nobody_asks_without_a_login(people):
    with pytest.raises(tk.NotAuthorized):
        ask(people, "anonymous")


WRONG = (
    ({"title": " "}, "title"), ({"title": "a" * 151}, "title"), ({"text": "\x00"}, "text"),
    ({"text": "a" * 10_001}, "text"), ({"text": ["x"]}, "text"), ({"files": "x"}, "files"),
    ({"files": [{"name": "a.png"}]}, "files"), ({"files": [{"name": "a.png", "content": "@@"}]}, "files"),
    ({"files": [file("a.png", b"<html>")]}, "files"), ({"files": [file("a.png")] * 6}, "files"),
    ({"about": "https://ailleurs.example/dinamis"}, "about"), ({"about": "//ailleurs.example"}, "about"),
)  # fmt: skip


def test_a_wrong_field_is_named_alone_and_nothing_is_kept(people):
    for wrong, field in WRONG:
        with pytest.raises(tk.ValidationError) as raised:
            ask(people, **wrong)
        assert list(raised.value.error_dict) == [field], wrong
    assert model.Session.query(Question).count() == 0
    assert model.Session.query(Mail).count() == 0


def test_files_are_limited_in_size_and_in_all(people, monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.question_file_mb", 1)
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.question_thread_mb", 1)
    large = PNG + b"\x00" * 1_000_000
    with pytest.raises(tk.ValidationError) as raised:
        ask(people, files=[file("large.png", large)])
    assert "large.png" in raised.value.error_dict["files"][0]
    half = PNG + b"\x00" * 600_000
    question = ask(people, files=[file("half.png", half)])
    with pytest.raises(tk.ValidationError) as raised:
        write(people, question, "member", files=[file("half.png", half)])
    assert "files" in raised.value.error_dict
    assert model.Session.query(QuestionFile).count() == 1
    assert model.Session.query(QuestionMessage).count() == 1


def test_a_person_writes_only_so_often_and_pigma_as_it_must(people, monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.questions_per_person", 2)
    question = ask(people)
    write(people, question, "member")
    with pytest.raises(tk.ValidationError):
        write(people, question, "member")
    with pytest.raises(tk.ValidationError):
        ask(people)
    for _ in range(3):
        write(people, question, "super_referent")
    ask(people, "outsider")


def test_whose_turn_since_when_and_what_is_late(people, monkeypatch, ckan_config):
    first, second = ask(people, title="Première"), ask(people, title="Deuxième")
    write(people, second, "super_referent")
    row = row_of(first)
    row.state_since = utcnow() - dt.timedelta(days=4)
    model.Session.commit()
    # A further message of the person is no reason to wait anew.
    write(people, first, "member", "Personne ?")
    third = ask(people, title="Troisième")
    found = call_action("dinamis_question_list", people.context("super_referent"))
    assert [q["id"] for q in found["results"]] == [first["id"], third["id"], second["id"]]
    assert [(q["waiting_side"], q["waiting_days"], q["late"]) for q in found["results"]] == [
        ("pigma", 4, True), ("pigma", 0, False), ("person", 0, False)]  # fmt: skip
    assert (found["states"], found["late"]) == ({"open": 2, "answered": 1}, 1)
    assert call_action("dinamis_question_list", people.context("super_referent"), late=True)["count"] == 1
    assert call_action("dinamis_question_list", people.context("super_referent"), state="answered,closed")["count"] == 1
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.question_late_days", 0)
    assert call_action("dinamis_question_list", people.context("super_referent"))["late"] == 0


def test_the_search_looks_into_titles_messages_and_names_and_takes_no_wildcard(people):
    one = ask(people, title="Ombre_portée", text="Pourquoi ce voile ?")
    ask(people, "outsider", title="Autre", text="Rien")
    for sought in ("ombre_", "VOILE", people.member["fullname"]):
        found = call_action("dinamis_question_list", people.context("super_referent"), q=sought)
        assert [q["id"] for q in found["results"]] == [one["id"]], sought
    assert call_action("dinamis_question_list", people.context("super_referent"), q="%")["count"] == 0
    assert call_action("dinamis_question_list", people.context("outsider"), q="voile")["count"] == 0


def test_an_answer_to_what_was_not_read_is_not_sent(people):
    question = ask(people)
    seen = question["last_position"]
    write(people, question, "super_referent", seen=seen)
    with pytest.raises(tk.ValidationError) as raised:
        write(people, question, "sysadmin", seen=seen)
    assert list(raised.value.error_dict) == ["seen"]
    with pytest.raises(tk.ValidationError):
        step(people, question, "close", "member", seen=seen)
    assert row_of(question).state == "answered"


def at_once(app, people, calls):
    """Several calls at the same moment, each in a request and a transaction of its own."""
    start, outcomes = threading.Barrier(len(calls)), []

    def one(role, action, data):
        with app.flask_app.test_request_context():
            start.wait(timeout=30)
            try:
                name = people.users[role]["name"]
                context = {"user": name, "auth_user_obj": model.User.get(name), "model": model}
                tk.get_action(action)(context, dict(data))
                outcomes.append("done")
            except tk.ValidationError as error:
                outcomes.append(next(iter(error.error_dict)))
            finally:
                model.Session.remove()

    threads = [threading.Thread(target=one, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(outcomes)


def test_two_super_referents_answer_at_once_and_one_answer_leaves(app, people):
    question = ask(people)
    data = {"id": question["id"], "text": "Réponse.", "seen": question["last_position"]}
    calls = [(role, "dinamis_question_reply", data) for role in ("super_referent", "sysadmin") * 2]
    assert at_once(app, people, calls) == ["done", "seen", "seen", "seen"]
    assert row_of(question).state == "answered"
    assert model.Session.query(QuestionMessage).filter_by(side="pigma").count() == 1
    assert len(mails(question, "question_answered")) == 1


def test_closed_while_pigma_replies_the_thread_stays_whole(app, people):
    question = ask(people)
    seen = question["last_position"]
    found = at_once(app, people, [
        ("member", "dinamis_question_transition", {"id": question["id"], "transition": "close", "seen": seen}),
        ("super_referent", "dinamis_question_reply", {"id": question["id"], "text": "Réponse.", "seen": seen}),
    ])  # fmt: skip
    # Whoever comes first: the other is told, and no answer stands in a thread that nobody was told about.
    assert found in (["done", "seen"], ["done", "transition"])
    answers = model.Session.query(QuestionMessage).filter_by(side="pigma").count()
    assert (row_of(question).state, answers) in {("closed", 0), ("answered", 1)}
    assert len(mails(question, "question_answered")) == answers


def test_positions_are_in_a_row_when_many_write_at_once(app, people):
    question = ask(people)
    data = {"id": question["id"], "text": "Encore."}
    assert at_once(app, people, [("member", "dinamis_question_reply", data)] * 5) == ["done"] * 5
    model.Session.rollback()
    positions = [m.position for m in model.Session.query(QuestionMessage).order_by(QuestionMessage.position)]
    assert positions == [1, 2, 3, 4, 5, 6]


def test_line_ends_never_reach_the_header_of_a_mail(people):
    question = ask(people, title="Essai\r\nBcc: autre@ailleurs.example")
    assert question["title"] == "Essai Bcc: autre@ailleurs.example"
    assert "\n" not in mails(question)[0].subject


def test_every_waiting_side_has_words(people):
    from ckanext.dinamis_relais.questions.helpers import dinamis_question_turn

    for state in WAITING:
        for days in (0, 1, 3):
            shown = {"waiting_side": WAITING[state], "waiting_days": days, "mine": False, "asker": "Lou"}
            assert (str(days) in dinamis_question_turn(shown)) == (days > 0)


def test_a_person_without_login_any_more_is_written_to_no_more(people):
    question = ask(people)
    model.User.get(people.member["id"]).state = "deleted"
    model.Session.commit()
    write(people, question, "super_referent")
    assert mails(question, "question_answered") == []


def test_without_a_super_referent_pigmas_address_is_told(people, monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.contact_email", "contact@pigma.example")
    grants = call_action("dinamis_role_list", people.context("sysadmin"))["results"]
    for grant in grants:
        if grant["role"] == "super_referent":
            call_action("dinamis_role_revoke", people.context("sysadmin"), id=grant["id"])
    assert [mail.recipient for mail in mails(ask(people))] == ["contact@pigma.example"]


def test_each_super_referent_is_told(people):
    other = factories.User()
    call_action("dinamis_role_grant", people.context("sysadmin"), user=other["id"], role="super_referent")
    assert {mail.recipient for mail in mails(ask(people))} == {people.super_referent["email"], other["email"]}
