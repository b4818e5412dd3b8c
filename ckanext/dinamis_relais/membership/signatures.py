"""The signature by one-time link: the legal representative has no login, the link is the right."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context

from ckanext.dinamis_relais import onetime
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.membership import dictize, effects, papers
from ckanext.dinamis_relais.membership.applications import Data, locked, readable
from ckanext.dinamis_relais.membership.model import Application, Document, SignatureLink
from ckanext.dinamis_relais.onetime import status
from ckanext.dinamis_relais.transaction import one_commit


def by_token(token: str, lock: bool = False) -> SignatureLink:
    """The link of a token.

    :raises toolkit.ObjectNotFound: no such link; says nothing of what exists
    """
    return onetime.by_token(SignatureLink, token, lock=lock)


def signable(application: Application) -> dict[str, Document]:
    """The newest paper of each kind that the signatory may read."""
    kinds = ("amendment", "signed_amendment")
    return {d.kind: d for d in papers.of_application(application.id) if d.kind in kinds}


@tk.side_effect_free
def dinamis_signature_show(context: Context, data_dict: Data) -> Data:
    """What the holder of a link sees: who signs what, and whether the link may still be used.

    :param token: from the mail's address
    :returns: ``{status, organization_title, agreement_number, representative, texts, documents, …}``
    """
    tk.check_access("dinamis_signature_show", context, data_dict)
    link = by_token(tk.get_or_bust(data_dict, "token"))
    application = session().get(Application, link.application_id)
    now = status(link)
    if now == "open" and application.state != "awaiting_signature":
        now = "revoked"
    shown = dictize.application(application, None)
    return {
        "status": now,
        "expires_at": isoformat(link.expires_at),
        "signed_at": isoformat(link.used_at),
        "organization_title": shown["organization_title"],
        "agreement_number": application.agreement_number,
        "representative": {k: application.representative.get(k, "") for k in ("given_name", "family_name", "function")},
        "texts": papers.texts(),
        "documents": {
            kind: {"title": d.title, "sha256": d.sha256, "size": d.size} for kind, d in signable(application).items()
        },
    }


def dinamis_signature_create(context: Context, data_dict: Data) -> Data:
    """Sign with a one-time link.

    :param token: from the mail's address
    :param accepted: ``{amendment, charter, licences, super_referent}``, each true
    :param ip, user_agent: where the signature came from, set by the page
    :raises toolkit.ValidationError: the link was used, revoked or has expired; or a box is not ticked
    """
    tk.check_access("dinamis_signature_create", context, data_dict)
    link = by_token(tk.get_or_bust(data_dict, "token"), lock=True)
    now = status(link)
    if now != "open":
        session().rollback()
        raise tk.ValidationError({"token": [_unusable(now)]})
    application = locked(link.application_id)
    data: dict[str, Any] = {
        "link": link,
        "accepted": data_dict.get("accepted") or {},
        "ip": data_dict.get("ip", ""),
        "user_agent": str(data_dict.get("user_agent", ""))[:300],
    }
    with one_commit():
        effects.apply(application, "sign", "signatory", data)
    return {"state": application.state, "signed_at": isoformat(application.signed_at)}


def dinamis_signature_resend(context: Context, data_dict: Data) -> Data:
    """Send a new link to the same address, for the holder of one that has expired.

    :param token: the expired one; a link that may still be used is not replaced
    """
    tk.check_access("dinamis_signature_resend", context, data_dict)
    link = by_token(tk.get_or_bust(data_dict, "token"), lock=True)
    if status(link) != "expired":
        session().rollback()
        raise tk.ValidationError({"token": [tk._("Only an expired link can be replaced from here.")]})
    application = locked(link.application_id)
    with one_commit():
        effects.apply(application, "resend_signature", "signatory", {})
    return {"sent": True}


def _unusable(now: str) -> str:
    return {
        "used": tk._("This is signed already. Nothing more is needed from you."),
        "revoked": tk._("A newer link replaces this one. Open the latest mail."),
        "expired": tk._("This link has expired. Ask for a new one: it is sent to the same address."),
    }[now]


def signed_paper(token: str, kind: str) -> Document | None:
    """A paper for the holder of a link: to read before signing, to keep afterwards."""
    application = session().get(Application, by_token(token).application_id)
    return signable(application).get(kind)


@tk.side_effect_free
def dinamis_document_list(context: Context, data_dict: Data) -> Data:
    """A file's papers, the oldest first.

    :param application_id: the file
    """
    id_ = tk.get_or_bust(data_dict, "application_id")
    tk.check_access("dinamis_document_list", context, data_dict)
    rows = papers.of_application(readable(id_, user_of(context)).id)
    return {"count": len(rows), "results": [dictize.document(row) for row in rows]}


@tk.side_effect_free
def dinamis_document_show(context: Context, data_dict: Data) -> Data:
    """One paper: kind, version, SHA-256, and in ``url`` where its bytes are."""
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_document_show", context, data_dict)
    row = session().get(Document, id_)
    if row is None:
        raise tk.ObjectNotFound(tk._("This document does not exist."))
    readable(row.application_id, user_of(context))
    return dictize.document(row)


@tk.side_effect_free
def dinamis_document_verify(context: Context, data_dict: Data) -> Data:
    """Whether a file is one of ours, unchanged.

    :param sha256: hash of the file (hex)
    :returns: ``{"known", "kind", "created_at", "sealed"}``; nothing else of the file it belongs to
    """
    tk.check_access("dinamis_document_verify", context, data_dict)
    sha256 = str(tk.get_or_bust(data_dict, "sha256")).strip().lower()
    if len(sha256) != hashlib.sha256().digest_size * 2:
        raise tk.ValidationError({"sha256": [tk._("A SHA-256 has 64 hexadecimal characters.")]})
    row = session().execute(sa.select(Document).where(Document.sha256 == sha256)).scalars().first()
    if row is None:
        return {"known": False}
    return {"known": True, "kind": row.kind, "created_at": isoformat(row.created_at), "sealed": row.sealed}
