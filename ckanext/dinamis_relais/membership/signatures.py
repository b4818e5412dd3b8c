"""The signature by one-time link: the legal representative has no login, the link is the right."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.dinamis_relais import config, onetime, throttle
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.membership import codes, dictize, effects, letters, papers, rules, schema, signing
from ckanext.dinamis_relais.membership.applications import Data, locked
from ckanext.dinamis_relais.membership.model import Application, Document, SignatureLink
from ckanext.dinamis_relais.onetime import status
from ckanext.dinamis_relais.transaction import one_commit

#: Codes that may be asked for with one link, per hour.
CODES_AN_HOUR = 6


def by_token(token: str, lock: bool = False) -> SignatureLink:
    """The link of a token.

    :raises toolkit.ObjectNotFound: no such link; says nothing of what exists
    """
    return onetime.by_token(SignatureLink, token, lock=lock)


#: Kinds of paper that the holder of a link may read.
_READABLE = ("agreement", "amendment", "signed_agreement", "signed_amendment", "signed_paper")


def signable(application: Application) -> dict[str, Document]:
    """The newest paper of each kind that the signatory may read."""
    return {d.kind: d for d in papers.of_application(application.id) if d.kind in _READABLE}


def state_of(link: SignatureLink, application: Application) -> str:
    """``open``, ``used``, ``expired``, ``revoked``, or ``signed``: by another link, or on paper."""
    now = status(link)
    if now != "used" and application.signed_at and application.state not in ("draft", "awaiting_signature"):
        return "signed"
    return "revoked" if now == "open" and application.state != "awaiting_signature" else now


@tk.side_effect_free
def dinamis_signature_show(context: Context, data_dict: Data) -> Data:
    """What the holder of a link sees: who signs what, and whether the link may still be used.

    :param token: from the mail's address
    :returns: ``{status, organization_title, agreement_number, representative, texts, documents, acceptances, …}``;
        ``step`` is ``read`` or ``code`` (sent, not typed yet); nothing of the papers once the link was revoked
    """
    tk.check_access("dinamis_signature_show", context, data_dict)
    link = by_token(tk.get_or_bust(data_dict, "token"))
    application = session().get(Application, link.application_id)
    now, person = state_of(link, application), signing.signatory(application)
    shown = dictize.application(application, None)
    signed = link.evidence or {}
    return {
        "status": now,
        "step": "code" if link.code_hash and now == "open" else "read",
        "expires_at": isoformat(link.expires_at),
        "signed_at": isoformat(link.used_at or application.signed_at),
        "signed_by": ", ".join(signed[k] for k in ("name", "function") if signed.get(k)),
        "organization_title": shown["organization_title"],
        "agreement_number": application.agreement_number,
        "representative": {k: person.get(k, "") for k in ("given_name", "family_name", "function")},
        "delegated": bool(application.signatory),
        "delegated_by": application.signatory.get("delegated_by", ""),
        "email": link.email,
        "accepted": link.accepted or {},
        "acceptances": list(rules.acceptances(application.with_agreement)),
        "texts": papers.texts(),
        "documents": {
            kind: {"title": d.title, "sha256": d.sha256, "size": d.size} for kind, d in signable(application).items()
        } if now in ("open", "used") else {},
    }  # fmt: skip


def _open(data_dict: Data) -> tuple[SignatureLink, Application]:
    """The link and its file, both held, when the link may be used.

    :raises toolkit.ValidationError: used, revoked or expired
    """
    link = by_token(tk.get_or_bust(data_dict, "token"))
    # The file first, as every transition holds it: two orders would wait for each other.
    application = locked(link.application_id)
    link = by_token(data_dict["token"], lock=True)
    now = state_of(link, application)
    if now != "open":
        session().rollback()
        raise tk.ValidationError({"token": [_unusable(now)]})
    return link, application


def _too_often(what: str, who: str, limit: int) -> None:
    if not throttle.allowed(what, who, limit):
        session().rollback()
        raise tk.ValidationError({"throttle": [tk._("Too many tries. Wait an hour, then try again.")]})


def dinamis_signature_code(context: Context, data_dict: Data) -> Data:
    """Accept, and have the code that confirms it sent to the link's address; an earlier code ends.

    :param token: from the mail's address
    :param accepted: what ``dinamis_signature_show`` lists under ``acceptances``, each true; when left out, what was
        accepted before
    :returns: ``{"sent", "email", "minutes"}``
    :raises toolkit.ValidationError: the link cannot be used, a box is not ticked, or too many codes were asked for
    """
    tk.check_access("dinamis_signature_code", context, data_dict)
    link, application = _open(data_dict)
    accepted = data_dict.get("accepted") or link.accepted or {}
    with one_commit():
        effects.GUARDS["all_accepted"](application, {"accepted": accepted})
        _too_often("signature-code", link.id, CODES_AN_HOUR)
        code = codes.new_code()
        link.accepted = dict.fromkeys(rules.acceptances(application.with_agreement), True)
        link.code_hash = codes.code_hash(config.secret_keys()[0], link.id, code)
        link.code_sent_at, link.code_tries = utcnow(), 0
        letters.send("signature_code", application, link=code)
    return {"sent": True, "email": link.email, "minutes": config.signature_code_minutes()}


def _check_code(link: SignatureLink, typed: str) -> None:
    """:raises toolkit.ValidationError: the code is not right; a wrong one is counted, whatever follows"""
    life = dt.timedelta(minutes=config.signature_code_minutes())
    digest = codes.code_hash(config.secret_keys()[0], link.id, typed)
    wrong = codes.problem(link.code_hash, link.code_sent_at, link.code_tries, digest, utcnow(), life)
    if wrong is None:
        return
    if wrong == "wrong":
        link.code_tries += 1
        session().commit()
    session().rollback()
    sentence = {
        "none": tk._("Ask for your code first: it is sent to your address."),
        "expired": tk._("This code has expired. Ask for a new one."),
        "tries": tk._("Too many wrong codes. Ask for a new one."),
        "wrong": tk._("This is not the code of the latest mail. Check its six digits."),
    }[wrong]
    raise tk.ValidationError({"code": [sentence]})


def dinamis_signature_create(context: Context, data_dict: Data) -> Data:
    """Sign, with the code that ``dinamis_signature_code`` sent.

    :param token: from the mail's address
    :param code: six digits
    :param ip, user_agent: where the signature came from, set by the page
    :raises toolkit.ValidationError: the link was used, revoked or has expired; or the code is not right
    """
    tk.check_access("dinamis_signature_create", context, data_dict)
    link, application = _open(data_dict)
    code = str(data_dict.get("code") or "")
    _check_code(link, code)
    data = {"ip": str(data_dict.get("ip", ""))[:60], "user_agent": str(data_dict.get("user_agent", ""))[:300]}
    evidence = signing.evidence(application, link, data)
    days = {kind: d.created_at.date().isoformat() for kind, d in signing.unsigned(application).items()}
    # Sealing may call a time-stamp server: with nothing held. What was checked is checked again afterwards.
    sealed = signing.presealed(application, {**evidence, "days": days})
    link, application = _open(data_dict)
    _check_code(link, code)
    if signing.unsigned(application)["amendment"].sha256 != evidence["document_sha256"]:
        session().rollback()
        raise tk.ValidationError({"token": [tk._("The amendment has changed meanwhile. Open the latest mail.")]})
    done = {"link": link, "accepted": link.accepted, "evidence": evidence, "sealed": sealed}
    with one_commit():
        effects.apply(application, "sign", "signatory", done)
    return {"state": application.state, "signed_at": isoformat(application.signed_at)}


def dinamis_signature_delegate(context: Context, data_dict: Data) -> Data:
    """The legal representative names who signs instead: a new link goes to that person, this one ends.

    :param token: from the mail's address
    :param given_name, family_name, function, email: of the person, each needed
    :raises toolkit.ValidationError: a field lacks, the link cannot be used, or the signature was delegated already
    """
    tk.check_access("dinamis_signature_delegate", context, data_dict)
    names = ("given_name", "family_name", "function", "email")
    try:
        person = schema.person({name: str(data_dict.get(name) or "")[:200] for name in names})
    except tk.Invalid as error:
        raise tk.ValidationError({"email": [error.error]}) from error
    lacking: Any = {name: [tk._("Missing value")] for name in names if not person.get(name)}
    if lacking:
        raise tk.ValidationError(lacking)
    link, application = _open(data_dict)
    if application.signatory:
        session().rollback()
        raise tk.ValidationError(
            {"token": [tk._("The signature was handed to you: only the legal representative can name somebody else.")]}
        )
    _too_often("signature-delegate", link.id, 3)
    with one_commit():
        effects.apply(application, "delegate_signature", "signatory", {"person": person})
    return {"sent": True, "email": person["email"]}


def dinamis_signature_resend(context: Context, data_dict: Data) -> Data:
    """Send a new link to the same address, for the holder of one that has expired.

    :param token: the expired one; a link that may still be used is not replaced
    """
    tk.check_access("dinamis_signature_resend", context, data_dict)
    link = by_token(tk.get_or_bust(data_dict, "token"))
    application = locked(link.application_id)
    if state_of(link, application) != "expired" or link.email != signing.signatory(application).get("email"):
        session().rollback()
        raise tk.ValidationError({"token": [tk._("Only an expired link can be replaced from here.")]})
    _too_often("signature-resend", application.id, 3)
    with one_commit():
        effects.apply(application, "resend_signature", "signatory", {})
    return {"sent": True}


def _unusable(now: str) -> str:
    return {
        "used": tk._("This is signed already. Nothing more is needed from you."),
        "signed": tk._("This is signed already. Nothing more is needed from you."),
        "revoked": tk._("A newer link replaces this one. Open the latest mail."),
        "expired": tk._("This link has expired. Ask for a new one: it is sent to the same address."),
    }[now]


def signed_paper(token: str, kind: str) -> Document | None:
    """A paper for the holder of a link: to read before signing, to keep afterwards."""
    link = by_token(token)
    application = session().get(Application, link.application_id)
    return signable(application).get(kind) if state_of(link, application) in ("open", "used") else None
