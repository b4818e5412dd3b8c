"""The actions on the mails' texts: list, show, try, save, back to the shipped text."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.db import isoformat
from ckanext.dinamis_relais.gateway import mailer, replies
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit
from ckanext.dinamis_relais.wording import catalogue, rules, store

__all__ = [
    "dinamis_mail_list",
    "dinamis_mail_preview",
    "dinamis_mail_reset",
    "dinamis_mail_show",
    "dinamis_mail_update",
]

Data = dict[str, Any]


def _asked(data_dict: Data) -> tuple[str, str]:
    """The mail and the language that are meant.

    :raises toolkit.ObjectNotFound: there is no such mail
    """
    name, language = str(tk.get_or_bust(data_dict, "id")), str(data_dict.get("language") or "fr")
    if name not in catalogue.names() or language not in catalogue.LANGUAGES:
        raise tk.ObjectNotFound(tk._("This mail does not exist."))
    return name, language


def _shipped(name: str) -> list[str]:
    return ["\n".join(mailer.shipped(name, language)) for language in catalogue.LANGUAGES]


def _sentence(problem: rules.Problem, own: set[str]) -> str:
    text = {
        "empty": tk._("Write something here."),
        "long": tk._("Too long: {what} characters at most."),
        "lines": tk._("The subject is one line."),
        "syntax": tk._("A tag or a condition is not closed, line {what}. A tag is written {{{{ organization }}}}."),
        "unknown": tk._("This mail has no tag {{{{ {what} }}}}. Choose among: {tags}."),
        "missing": tk._(
            "The tag {{{{ {what} }}}} is missing: without it the mail would not say what it is for. Add it."
        ),
        "forbidden": tk._("Only tags and conditions are possible here, line {what}."),
        "address": tk._("Take out the address {what}: addresses come from tags, so that none is ever dead."),
        "brace": tk._("Write {{{{ {what} }}}}, with two braces on each side."),
        "secret": tk._("The personal link stands in the text, not in the subject."),
    }[problem.code]
    return text.format(what=problem.what, tags=", ".join(sorted(own | rules.GIVEN)))


def _checked(name: str, language: str, data_dict: Data) -> tuple[str, str]:
    """Subject and text, read.

    :raises toolkit.ValidationError: names each tag that is unknown or missing, and what to do
    """
    subject = str(data_dict.get("subject") or "").strip()
    body = str(data_dict.get("body") or "").replace("\r\n", "\n").strip()
    shipped = _shipped(name)
    wrong: dict[str, list[str]] = {}
    for problem in rules.problems(subject, body, shipped, catalogue.sample(name, language)):
        wrong.setdefault(problem.field, []).append(_sentence(problem, rules.tags(*shipped)))
    if wrong:
        raise tk.ValidationError(wrong)  # type: ignore[arg-type]
    return subject, body


def _author(user_id: str) -> str:
    user = model.User.get(user_id)
    return (user.fullname or user.name) if user else user_id


@tk.side_effect_free
def dinamis_mail_list(context: Context, data_dict: Data) -> Data:
    """All mails: when each leaves, to whom, its subject, and whether its text is the operator's.

    :param language: ``fr`` (default) or ``en``
    :returns: ``{"count", "results"}``, each ``{name, subject, recipients, reply_to, transitions, edited}``; ``edited``
        lists the languages in which the operator wrote it
    """
    tk.check_access("dinamis_mail_list", context, data_dict)
    language = data_dict.get("language") if data_dict.get("language") in catalogue.LANGUAGES else "fr"
    told, when, edited = catalogue.recipients(), catalogue.transitions(), store.edited()
    results = [
        {
            "name": name,
            "subject": mailer.source(name, str(language))[0],
            "recipients": list(told.get(name, ("person",))),
            "reply_to": replies.usual(name),
            "transitions": [{"machine": m, "state": s, "name": t} for m, s, t in when.get(name, [])],
            "edited": [one for one in catalogue.LANGUAGES if (name, one) in edited],
        }
        for name in catalogue.names()
    ]
    return {"count": len(results), "results": results}


@tk.side_effect_free
def dinamis_mail_show(context: Context, data_dict: Data) -> Data:
    """One mail in one language: its text in force, the shipped one, its tags and its versions.

    :param id: name of the mail
    :param language: ``fr`` (default) or ``en``
    :returns: ``{name, language, number, edited, subject, body, shipped, tags, recipients, reply_to, reply_to_claimed,
        versions}``; each of ``tags`` is ``{name, needed, example}``; ``reply_to_claimed``: replies go to the moderator
        who has the file or the request in hand, where there is one
    """
    tk.check_access("dinamis_mail_show", context, data_dict)
    name, language = _asked(data_dict)
    own, example = rules.tags(*_shipped(name)), catalogue.sample(name, language)
    versions = store.versions(name, language)
    subject, body = mailer.source(name, language)
    shipped = mailer.shipped(name, language)
    return {
        "name": name,
        "language": language,
        "number": versions[0].number if versions else 0,
        "edited": bool(versions and versions[0].body),
        "subject": subject,
        "body": body,
        "shipped": {"subject": shipped[0], "body": shipped[1]},
        "tags": [
            {"name": tag, "needed": tag in own & rules.NEEDED, "example": example[tag]}
            for tag in sorted(own | rules.GIVEN)
        ],
        "recipients": list(catalogue.recipients().get(name, ("person",))),
        "reply_to": replies.usual(name),
        "reply_to_claimed": config.reply_to_claimed() and name in catalogue.about_what_is_in_hand(),
        "versions": [
            {"number": v.number, "subject": v.subject, "body": v.body, "made_at": isoformat(v.made_at),
             "author": _author(v.made_by)} for v in versions
        ],
    }  # fmt: skip


@tk.side_effect_free
def dinamis_mail_preview(context: Context, data_dict: Data) -> Data:
    """A text as it would leave, with an example of each tag; nothing is saved.

    :param id: name of the mail
    :param language: ``fr`` (default) or ``en``
    :param subject, body: the text to try
    :raises toolkit.ValidationError: names each tag that is unknown or missing, and what to do
    """
    tk.check_access("dinamis_mail_preview", context, data_dict)
    name, language = _asked(data_dict)
    subject, body = _checked(name, language, data_dict)
    example = catalogue.sample(name, language)
    return {"subject": rules.fill(subject, example), "body": rules.fill(body, example)}


def _save(context: Context, data_dict: Data, texts: tuple[str, str] | None) -> None:
    name, language = _asked(data_dict)
    seen = data_dict.get("seen")
    with one_commit():
        number = store.held(name, language)
        if seen not in (None, "") and str(seen) != str(number):
            text = tk._("Somebody has changed this text meanwhile. Copy yours, read theirs, then write again.")
            raise GuardError("seen", text)
        row = store.add(name, language, number + 1, *(texts or (None, None)), actor_of(context))
        event = Event.MAIL_CHANGED if texts else Event.MAIL_RESET
        record(event, actor_of(context), "mail_text", name, None, language=language, number=row.number)


def dinamis_mail_update(context: Context, data_dict: Data) -> Data:
    """Put another text of a mail in force; the former one is kept.

    :param id: name of the mail
    :param language: ``fr`` (default) or ``en``
    :param subject, body: the text, with tags such as ``{{ organization }}``
    :param seen: ``number`` as it was read, optional: when somebody changed the text since, nothing is done
    :raises toolkit.ValidationError: names each tag that is unknown or missing, and what to do
    """
    tk.check_access("dinamis_mail_update", context, data_dict)
    _save(context, data_dict, _checked(*_asked(data_dict), data_dict))
    return dinamis_mail_show(context, data_dict)


def dinamis_mail_reset(context: Context, data_dict: Data) -> Data:
    """Put the shipped text back in force; the operator's versions are kept.

    :param id: name of the mail
    :param language: ``fr`` (default) or ``en``
    """
    tk.check_access("dinamis_mail_reset", context, data_dict)
    _save(context, {**data_dict, "seen": None}, None)
    return dinamis_mail_show(context, data_dict)
