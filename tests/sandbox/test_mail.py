"""The mail sink: every message is kept, found again and safely shown."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from types import SimpleNamespace

import pytest

from ckanext.dinamis_relais.sandbox import mail, outage


def message(to="Maire <maire@demo.example>", subject="Signature demandée", text="Bonjour", html=""):
    found = EmailMessage()
    found["From"], found["To"], found["Subject"] = "PIGMA <relais@demo.example>", to, subject
    found["Reply-To"] = "contact@demo.example"
    found.set_content(text)
    if html:
        found.add_alternative(html, subtype="html")
    return found


def keep(state, found, *recipients):
    return mail.keep(state, found.as_bytes(), list(recipients or ["maire@demo.example"]), "relais@demo.example")


def test_newest_first_by_recipient_and_since_a_number(client, state):
    first = keep(state, message(subject="Un"))
    second = keep(state, message(subject="Deux"), "Lou@demo.example", "copie@demo.example")
    listed = client.get("/mails.json").json
    assert [one["id"] for one in listed] == [second, first]
    assert set(listed[0]) == {"id", "to", "from", "reply_to", "subject", "text", "received_at"}
    assert [m["subject"] for m in client.get("/mails.json?to=lou@").json] == ["Deux"]
    assert [m["subject"] for m in client.get("/mails.json?to=copie@demo").json] == ["Deux"]
    assert [m["subject"] for m in client.get(f"/mails.json?since_id={first}").json] == ["Deux"]
    assert client.get("/mails.json?to=%25").json == []
    page = client.get("/mails").text
    assert page.index("Deux") < page.index("Un</a>")
    assert "Aucun message pour « personne »" in client.get("/mails?to=personne").text


def test_letters_with_accents_and_links(client, state):
    text = "Voici le lien : https://ckan.example/dinamis/sign/abc-DEF?a=1&b=2.\nÀ bientôt (http://b.example/x)."
    number = keep(state, message(subject="Été : « œuvre »", text=text))
    (listed,) = client.get("/mails.json").json
    assert listed["subject"] == "Été : « œuvre »"
    assert listed["text"].strip() == text
    page = client.get(f"/mails/{number}").text
    assert '<a href="https://ckan.example/dinamis/sign/abc-DEF?a=1&amp;b=2">' in page
    assert '<a href="http://b.example/x">http://b.example/x</a>).' in page


def test_text_of_a_message_is_never_markup(client, state):
    number = keep(state, message(subject="<script>1</script>", text="<b>x</b> javascript:alert(1) https://a/\"onx='"))
    page = client.get(f"/mails/{number}").text
    assert "<script>" not in page
    assert "<b>" not in page
    assert 'href="javascript' not in page
    assert "&lt;script&gt;" in client.get("/mails").text


def test_html_is_framed_without_rights(client, state):
    number = keep(state, message(html="<p>Bonjour <script>alert(1)</script><a href='http://b.example'>b</a></p>"))
    page = client.get(f"/mails/{number}").text
    assert f'<iframe src="/mails/{number}/html"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    framed = client.get(f"/mails/{number}/html")
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy


def test_attachments_are_downloaded_as_they_were(client, state):
    found = message()
    found.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Dossier Bègles.pdf")
    found.add_attachment(message(subject="Transmis"))
    number = keep(state, found)
    assert "Dossier Bègles.pdf" in client.get(f"/mails/{number}").text
    answer = client.get(f"/mails/{number}/attachments/0")
    assert (answer.data, answer.mimetype) == (b"%PDF-1.7", "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b"Transmis" in client.get(f"/mails/{number}/attachments/1").data
    assert client.get(f"/mails/{number}/attachments/2").status_code == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all",
        b"Subject: =?utf-8?q?=FF=FE?=\r\n\r\n\xff\xfe",
        b"Content-Type: text/plain; charset=nobody\r\n\r\n\xe9t\xe9",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nbroken",
        b"From: <<>>@\r\nTo: ,,\r\n\r\nx",
    ],
)
def test_faulty_messages_are_kept_and_shown(client, state, raw):
    number = mail.keep(state, raw, ["lou@demo.example"], "")
    assert client.get(f"/mails/{number}").status_code == 200
    assert client.get("/mails").status_code == 200
    assert client.get("/mails.json?to=lou").json[0]["id"] == number


@pytest.mark.parametrize(("mode", "answer"), [("ok", "250"), ("503", "451"), ("429", "451"), ("timeout", "451")])
def test_sink_takes_a_message_or_asks_to_come_back(state, monkeypatch, mode, answer):
    monkeypatch.setattr(outage, "SILENCE", 0.2)
    outage.set_mode(state, "mail", mode, None)
    envelope = SimpleNamespace(content=message().as_bytes(), rcpt_tos=["lou@demo.example"], mail_from="a@b.example")
    # In a thread of its own: the browser's stories leave an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(asyncio.run, mail.Handler(state).handle_DATA(None, None, envelope)).result()
    assert said.startswith(answer)
    assert len(mail.find(state)) == (mode == "ok")
