"""A mail sink: takes every message, delivers none, shows them all."""

from __future__ import annotations

import asyncio
import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller
from flask import Blueprint, Response, abort, jsonify, render_template, request
from markupsafe import Markup, escape

from ckanext.dinamis_relais.sandbox import outage
from ckanext.dinamis_relais.sandbox.state import State, now

LISTED = 200
LARGEST_MESSAGE = 35 * 1024 * 1024
_LINK = re.compile(r"https?://[^\s<>\"]+")
_COLUMNS = "id, sender, recipients, reply_to, subject, text, received_at"


class Handler:
    """What the SMTP server does with a message: keep it."""

    def __init__(self, state: State):
        self.state = state

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep one message; 451 while the sink is asked to fail."""
        mode = (await asyncio.to_thread(outage.modes, self.state))["mail"]
        if mode == "timeout":
            await asyncio.to_thread(outage.silence, self.state, "mail")
        if mode != "ok":
            return "451 4.3.0 Panne demandee dans le bac a sable, reessayez"
        await asyncio.to_thread(keep, self.state, envelope.content, list(envelope.rcpt_tos), envelope.mail_from or "")
        return "250 2.0.0 Garde dans le bac a sable"


def sink(state: State, host: str, port: int) -> Controller:
    """An SMTP server in a thread of its own; call ``start`` and ``stop``."""
    return Controller(
        Handler(state), hostname=host, port=port, data_size_limit=LARGEST_MESSAGE, ident="Bac a sable", ready_timeout=15
    )


def parse(raw: bytes) -> EmailMessage:
    """A message out of its bytes; a faulty one gives what can be read."""
    return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(raw)  # type: ignore[return-value,arg-type]


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        raw = part.get_payload(decode=True)
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def keep(state: State, raw: bytes, recipients: list[str], sender: str) -> int:
    """Store one message.

    :param recipients: those of the SMTP envelope, so that blind copies are seen too
    :returns: its number, growing
    """
    message = parse(raw)
    values = (
        str(message.get("From", sender)),
        ", ".join(recipients),
        str(message.get("Reply-To", "")),
        str(message.get("Subject", "")),
        _content(message, "plain"),
        raw,
        now(),
    )
    columns = "sender, recipients, reply_to, subject, text, raw, received_at"
    with state.write() as db:
        made = db.execute(f"INSERT INTO mails ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608
        return int(made.lastrowid or 0)


def find(state: State, to: str = "", since_id: int = 0) -> list[dict[str, Any]]:
    """The newest messages first, at most 200.

    :param to: part of a recipient's address, any case
    :param since_id: only messages with a greater number
    """
    query = (
        f"SELECT {_COLUMNS} FROM mails WHERE id > ? AND instr(lower(recipients), lower(?)) > 0"  # noqa: S608
        " ORDER BY id DESC LIMIT ?"
    )
    with state.read() as db:
        rows = db.execute(query, (since_id, to.strip(), LISTED)).fetchall()
    return [
        {
            "id": row["id"],
            "to": row["recipients"],
            "from": row["sender"],
            "reply_to": row["reply_to"],
            "subject": row["subject"],
            "text": row["text"],
            "received_at": row["received_at"],
        }
        for row in rows
    ]


def linked(text: str) -> Markup:
    """Text as safe HTML, its web addresses made links; punctuation that ends a sentence stays outside."""
    out, position = Markup(), 0
    for match in _LINK.finditer(text):
        address = match.group().rstrip(".,;:!?)]»'")
        out += escape(text[position : match.start()])
        out += Markup('<a href="{0}">{0}</a>').format(address)
        position = match.start() + len(address)
    return out + escape(text[position:])


def _message(state: State, number: int) -> tuple[Any, EmailMessage]:
    with state.read() as db:
        row = db.execute("SELECT * FROM mails WHERE id = ?", (number,)).fetchone()
    if row is None:
        abort(404)
    return row, parse(row["raw"])


def blueprint(state: State) -> Blueprint:
    """``/mails``, ``/mails.json``, ``/mails/<id>``, its HTML part and its attachments."""
    parts = Blueprint("mail", __name__)

    @parts.get("/mails")
    def listing() -> str:
        to = request.args.get("to", "")
        return render_template("mails.html", mails=find(state, to), to=to)

    @parts.get("/mails.json")
    def as_json() -> Response:
        since = request.args.get("since_id", default=0, type=int)
        return jsonify(find(state, request.args.get("to", ""), since))

    @parts.get("/mails/<int:number>")
    def show(number: int) -> str:
        row, message = _message(state, number)
        names = [part.get_filename() or f"piece-{n}" for n, part in enumerate(message.iter_attachments())]
        html = bool(_content(message, "html"))
        text = linked(row["text"])
        return render_template("mail.html", mail=row, message=message, text=text, html=html, attachments=names)

    @parts.get("/mails/<int:number>/html")
    def html_part(number: int) -> Response:
        _row, message = _message(state, number)
        # Links open beside the frame: the site that they lead to need not allow to be framed.
        answer = Response('<base target="_blank">' + _content(message, "html"), mimetype="text/html")
        # Neither scripts nor anything from elsewhere, even when the frame is opened by itself.
        answer.headers["Content-Security-Policy"] = (
            "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
            "style-src 'unsafe-inline'; img-src data:"
        )
        return answer

    @parts.get("/mails/<int:number>/attachments/<int:position>")
    def attachment(number: int, position: int) -> Response:
        _row, message = _message(state, number)
        found = list(message.iter_attachments())
        if position >= len(found):
            abort(404)
        part = found[position]
        data = part.get_payload(decode=True)
        body = data if isinstance(data, bytes) else part.as_bytes()
        answer = Response(body, mimetype=part.get_content_type())
        answer.headers.set("Content-Disposition", "attachment", filename=part.get_filename() or f"piece-{position}")
        return answer

    return parts
