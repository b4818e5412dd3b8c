"""Writing a message in the caller's transaction, and sending it later."""

from __future__ import annotations

import datetime as dt
import io
import logging
import smtplib
from functools import cache
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.lib.mailer import MailerException
from jinja2.exceptions import TemplateError

from ckanext.dinamis_relais import config, wording
from ckanext.dinamis_relais.dates import in_words
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.gateway import replies, secrets
from ckanext.dinamis_relais.gateway.model import Dossier, Mail
from ckanext.dinamis_relais.gateway.targets import Parcel, PassingError, RefusedError
from ckanext.dinamis_relais.wording import rules

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent.parent / "mails"
LINK = "{link}"
#: Mails whose link stops them: mail programs show it as a button of their own (RFC 2369, RFC 8058).
STOPPED_BY_LINK = frozenset({"new_images"})


def locale() -> str:
    """Language of mails: the site's own, French unless it says otherwise."""
    offered = tk.config.get("ckan.locale_default") or "fr"
    return "en" if str(offered).startswith("en") else "fr"


def day(value: dt.date, language: str | None = None) -> str:
    """A date in full, in the language of mails or in the one named."""
    return in_words(value, "long", language or locale())


def given() -> dict[str, str]:
    """The tags that every mail has."""
    return {
        "relay": config.relay_name(),
        "operator": config.relay_operator(),
        "contact": config.contact_email(),
        "site_url": config.site_url(),
    }


@cache
def shipped(name: str, language: str) -> tuple[str, str]:
    """Subject and text of a mail as they come with the platform, their tags not filled in."""
    subject, _sep, body = (TEMPLATES / f"{name}.{language}.txt").read_text(encoding="utf-8").partition("\n")
    return subject.strip(), body.strip()


def source(name: str, language: str) -> tuple[str, str]:
    """Subject and text of a mail in force: the operator's, or the shipped ones; their tags not filled in."""
    return wording.current(name, language) or shipped(name, language)


def render(name: str, values: dict[str, Any]) -> tuple[str, str]:
    """Subject and text of a message in the language of mails.

    :raises jinja2.UndefinedError: a value that the shipped text needs is missing: it fails when the mail is decided,
        not in the box
    """
    everything = {**given(), **values}
    own = wording.current(name, locale())
    if own is not None:
        try:
            return _filled(own, everything)
        except TemplateError:
            # It was checked when it was saved; whatever is wrong now, a decision does not wait for it.
            log.exception("mail %s: the operator's text cannot be filled in, the shipped one leaves", name)
    return _filled(shipped(name, locale()), everything)


def _filled(texts: tuple[str, str], values: dict[str, Any]) -> tuple[str, str]:
    subject, body = (rules.fill(text, values) for text in texts)
    return " ".join(subject.split()), body.strip() + "\n"


def write(
    name: str,
    recipient: str,
    recipient_name: str,
    thing: tuple[str, str, str | None],
    values: dict[str, Any],
    link: str | None = None,
    dossier: str | None = None,
) -> Mail:
    """Add a message to the present transaction; it leaves after the commit.

    :param name: name of the template under ``mails/``
    :param recipient: e-mail address
    :param thing: (object type, object id, organisation id) whose thread shows it
    :param values: what the template needs
    :param link: a one-time link; encrypted, shown as ``{link}`` in the thread
    :param dossier: id of a dossier that goes with it as a file
    """
    answer_to = replies.address(name, thing)
    # Where the text names an address, it is that of the people who answer this very mail.
    words = {**values, "link": LINK, "recipient_name": recipient_name, "contact": answer_to}
    subject, body = render(name, words)
    mail = Mail(
        name=name,
        recipient=recipient,
        recipient_name=recipient_name,
        reply_to=answer_to or None,
        subject=subject,
        body=body,
        secrets=secrets.encrypt({"link": link}) if link else None,
        dossier_id=dossier,
        object_type=thing[0],
        object_id=thing[1],
        organization_id=thing[2],
    )
    mail.owe()
    session().add(mail)
    return mail


def wipe(object_type: str, object_id: str) -> None:
    """Empty the mails about a thing that is erased; one that has not left yet has nothing to say any more.

    The caller commits.
    """
    mails = sa.update(Mail).where(Mail.object_type == object_type, Mail.object_id == object_id)
    emptied = {"recipient": "", "recipient_name": "", "subject": "", "body": "", "secrets": None}
    mails = mails.values(**emptied, delivered_version=Mail.version)
    session().execute(mails.execution_options(synchronize_session=False))


def prepare(mail: Mail) -> dict[str, Any]:
    """The message as it leaves, its link put in, its file beside it."""
    dossier = session().get(Dossier, mail.dossier_id) if mail.dossier_id else None
    link = secrets.decrypt(mail.secrets)["link"] if mail.secrets else None
    return {
        "recipient": mail.recipient,
        "recipient_name": mail.recipient_name,
        "reply_to": mail.reply_to,
        "subject": mail.subject,
        "body": mail.body.replace(LINK, link) if link else mail.body,
        "stop": link if mail.name in STOPPED_BY_LINK else None,
        "file": (dossier.name, dossier.content) if dossier and dossier.content else None,
    }


def transport(parcel: Parcel) -> dict[str, Any]:
    """Send by CKAN's own mailer (``smtp.*`` settings).

    :raises PassingError: the server cannot be reached or answers 4xx
    :raises RefusedError: the server refuses this address or message for good
    """
    message = parcel.body
    headers = {"Reply-To": message["reply_to"]} if message["reply_to"] else {}
    if message["stop"]:
        headers |= {"List-Unsubscribe": f"<{message['stop']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    headers["Message-ID"] = f"<{parcel.idempotency_key}@dinamis-relais>"
    files = [(message["file"][0], io.BytesIO(message["file"][1]), "application/zip")] if message["file"] else []
    try:
        tk.mail_recipient(
            message["recipient_name"], message["recipient"], message["subject"], message["body"], headers=headers,
            attachments=files,
        )  # fmt: skip
    except MailerException as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, smtplib.SMTPRecipientsRefused):
            raise RefusedError("The mail server refuses this address. Correct it, then send again.") from error
        raise PassingError(f"The mail server could not be used ({type(error).__name__}).") from error
    except OSError as error:
        raise PassingError(f"The mail server could not be reached ({type(error).__name__}).") from error
    return {}


def applied(mail: Mail, answer: dict[str, Any]) -> None:
    """The message left: its link is wiped."""
    del answer
    mail.secrets = None
