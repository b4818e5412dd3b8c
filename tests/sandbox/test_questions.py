"""Questions at the sandbox's executive board: read, answered by a person, taken by the relay."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.examples import HEADERS, PDF, conforms, document, question

LABEL = "Bac à sable : ceci n'est pas DINAMIS, données synthétiques"
PATH = "/v1/questions/{id}"


def send(client, version=1, key="q1", **changes):
    answer = client.put(f"/gateway/v1/questions/{key}", json=question(version, **changes), headers=HEADERS)
    return conforms(answer, "put", PATH)


def held(client, key="q1"):
    return conforms(client.get(f"/gateway/v1/questions/{key}", headers=HEADERS), "get", PATH)


def reply(client, text="Du 12 juillet.", key="q1"):
    return client.post(f"/board-questions/{key}/answer", data={"text": text})


def message(id_, side, text="x"):
    return {"id": id_, "at": "2026-05-06T10:00:00Z", "side": side, "text": text, "documents": []}


@pytest.mark.parametrize("path", ["/board-questions", "/board-questions/q1", "/board-questions/nobody"])
def test_each_page_is_french_and_says_that_it_is_a_sandbox(client, path):
    send(client)
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == (404 if "nobody" in path else 200)
    assert '<html lang="fr">' in answer.text
    assert LABEL in answer.text.replace("&#39;", "'")
    assert answer.text.count("<h1>") == 1
    for field in re.findall(r'<(?:input|textarea|select) id="([^"]+)"', answer.text):
        assert f'<label for="{field}">' in answer.text


def test_answered_by_a_person_it_is_answered_for_the_relay(client):
    assert send(client)["status"] == "received"
    assert reply(client).status_code == 303
    found = held(client)
    assert (found["status"], [one["text"] for one in found["answers"]]) == ("answered", ["Du 12 juillet."])
    assert "Du 12 juillet." in client.get("/board-questions/q1").text


def test_without_words_or_twice_nothing_is_answered(client):
    send(client)
    assert reply(client, "  ").status_code == 422
    assert held(client)["answers"] == []
    assert reply(client).status_code == 303
    assert reply(client, "Encore").status_code == 422
    assert len(held(client)["answers"]) == 1


def test_asked_again_once_its_answer_was_taken_it_waits_anew(client):
    send(client)
    reply(client)
    # The relay has not read the answer yet: it still stands.
    assert send(client, 2, messages=[message("m1", "person")])["status"] == "answered"
    taken = [message("m1", "person"), message("m2", "dinamis"), message("m3", "person")]
    assert send(client, 3, messages=taken)["status"] == "received"
    assert reply(client, "À 11 h.").status_code == 303
    assert [one["text"] for one in held(client)["answers"]] == ["Du 12 juillet.", "À 11 h."]


@pytest.mark.parametrize(("state", "status"), [("open", "answered"), ("answered", "answered"), ("closed", "closed")])
def test_what_the_relay_settled_waits_for_nothing(client, state, status):
    send(client)
    assert send(client, 2, state=state)["status"] == status
    assert reply(client).status_code == 422


def test_an_erased_thread_replaces_what_was_held_and_what_was_answered(client):
    send(client)
    reply(client, "Bonjour Lou")
    send(client, 2, state="closed", title="", messages=[message("m1", "person", "")], documents=[])
    page = client.get("/board-questions/q1").text
    assert "Lou" not in page
    assert "Question effacée" in page
    assert [one["text"] for one in held(client)["answers"]] == ["Effacé."]


def test_a_text_is_never_markup_and_a_file_is_never_shown_in_place(client):
    send(client, title="<b>x</b>", messages=[{**message("m1", "person", "<script>1</script>"), "documents": ["d1"]}],
         documents=[document(title="a/b.pdf")])  # fmt: skip
    page = client.get("/board-questions/q1").text
    assert "<script>1" not in page
    assert "<b>x</b>" not in page
    answer = client.get("/board-questions/q1/files/d1")
    assert (answer.data, answer.headers["Content-Disposition"]) == (PDF, "attachment; filename=a-b.pdf")
    assert client.get("/board-questions/q1/files/none").status_code == 404


def test_home_counts_the_questions(client):
    send(client)
    send(client, key="q2", state="closed")
    assert "1 à répondre, transmises en tout : 2" in client.get("/").text
