"""The board's decision by one-time link, and what PIGMA may do with such a link. The link is the right: no login."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.dinamis_relais import config, onetime, throttle
from ckanext.dinamis_relais.authority import actor_of, user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.model import Dossier
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership import deeds, dictize, dossiers, effects, papers, seals
from ckanext.dinamis_relais.membership.applications import (
    Data,
    entity_checked,
    history_of,
    locked,
    readable,
)
from ckanext.dinamis_relais.membership.machines import BOARD_TRANSITIONS
from ckanext.dinamis_relais.membership.model import Application, BoardLink, Document
from ckanext.dinamis_relais.transaction import one_commit

#: New links for one file, per hour.
LINKS_AN_HOUR = 5
#: What of a file is PIGMA's own affair.
_INTERNAL = ("claimed_by", "due_at", "transitions", "delivered", "delivery_error", "missing", "waiting_for")


def state_of(link: BoardLink, application: Application) -> str:
    """What has become of a link.

    :returns: ``open``, ``used``, ``decided`` (by another way), ``moved`` (corrected or withdrawn), ``expired``,
        ``replaced`` (by a newer link, or revoked)
    """
    now = onetime.status(link)
    if now == "used":
        return "used"
    if application.state in ("accepted", "refused", "deferred"):
        return "decided"
    if application.state != "submitted":
        return "moved"
    if now == "revoked" or link.application_version != application.version:
        return "replaced"
    return now


def _readable(link: BoardLink, now: str) -> bool:
    """Whether the dossier may be read: until a decision, and afterwards until the link's own end."""
    return now == "open" or (now == "used" and link.expires_at > utcnow())


def opened(token: str) -> tuple[BoardLink, Application, str]:
    """A link, its file, and what has become of it.

    :raises toolkit.ObjectNotFound: no such link; says nothing of what exists
    """
    link = onetime.by_token(BoardLink, token)
    application = session().get(Application, link.application_id)
    return link, application, state_of(link, application)


@tk.side_effect_free
def dinamis_board_link_show(context: Context, data_dict: Data) -> Data:
    """What the holder of a link of the board sees: the dossier while it may be read, and what may be decided.

    :param token: from the mail's address
    :returns: ``{status, expires_at, used_at, organization_title, agreement_number, state, decided_at, reason, …}`` and,
        while it may be read, ``file``, ``documents`` (each with the check of its seal) and ``history``
    """
    tk.check_access("dinamis_board_link_show", context, data_dict)
    link, application, now = opened(tk.get_or_bust(data_dict, "token"))
    shown = dictize.application(application, None)
    found = {
        "status": now,
        "expires_at": isoformat(link.expires_at),
        "used_at": isoformat(link.used_at),
        **{key: shown[key] for key in ("organization_title", "agreement_number", "state", "decided_at",
                                       "decided_on", "decision_reference")},
        "file": None, "documents": [], "history": [],
    }  # fmt: skip
    if _readable(link, now):
        found["file"] = {key: value for key, value in shown.items() if key not in _INTERNAL}
        found["documents"] = [seals.checked(d) for d in papers.of_application(application.id)]
        found["history"] = history_of(application.id)
    return found


def document(token: str, document_id: str) -> Document | None:
    """A paper of the dossier, for the holder of a link that may read it."""
    link, application, now = opened(token)
    row = session().get(Document, document_id)
    mine = row is not None and row.application_id == application.id
    return row if mine and _readable(link, now) else None


def archive(token: str) -> tuple[str, bytes] | None:
    """The dossier as (name, ZIP), for the holder of a link that may read it."""
    link, application, now = opened(token)
    return dossiers.zip_of(application) if _readable(link, now) else None


def _held(token: str) -> tuple[BoardLink, Application]:
    """The link and its file, both held, while it may decide.

    :raises toolkit.ValidationError: it may not, with why
    """
    # The file first, as every transition holds it: two orders would wait for each other.
    application = locked(onetime.by_token(BoardLink, token).application_id)
    link = onetime.by_token(BoardLink, token, lock=True)
    now = state_of(link, application)
    if now != "open":
        session().rollback()
        raise tk.ValidationError({"token": [_unusable(now)]})
    return link, application


def _unusable(now: str) -> str:
    return {
        "used": tk._("This link has served: your decision is recorded."),
        "decided": tk._("The decision was given already, by another way."),
        "moved": tk._("This file is not to be decided any more: it was withdrawn, or is being corrected."),
        "replaced": tk._("A newer link replaces this one, or it was revoked. Open the latest mail."),
        "expired": tk._("This link has expired. Ask for a new one: it is sent to the board's address."),
    }[now]


def dinamis_board_link_decide(context: Context, data_dict: Data) -> Data:
    """Decide by the link, once.

    :param token: from the mail's address
    :param transition: ``accept``, ``defer``, ``ask_changes`` or ``refuse``
    :param reason: needed for all but ``accept``; sent as it is
    :param reference: the board's own
    :raises toolkit.ValidationError: the link was used, revoked or has expired, the file has moved on, a reason lacks
    """
    tk.check_access("dinamis_board_link_decide", context, data_dict)
    token, name = tk.get_or_bust(data_dict, ["token", "transition"])
    if name not in BOARD_TRANSITIONS:
        names = ", ".join(BOARD_TRANSITIONS)
        raise tk.ValidationError({"transition": [tk._("Choose one of: {names}.").format(names=names)]})
    link, application = _held(token)
    if name == "accept" and application.entity_checked_at is None:
        entity_checked(application.id)
        link, application = _held(token)
    data = {"reason": data_dict.get("reason"), "reference": data_dict.get("reference") or None, "link": link}
    data = deeds.beforehand(application, name, "board_link", data)
    link, application = _held(token)
    with one_commit():
        link.used_at = data["decision"].at if "decision" in data else utcnow()
        session().flush()
        data["link"] = link
        effects.apply(application, name, "board_link", data)
    return {"state": application.state, "decided_at": isoformat(link.used_at)}


def _send_again(application: Application, actor: str) -> BoardLink:
    """A new link for a file that waits for the board; the caller commits.

    :raises toolkit.ValidationError: nothing waits, nothing was kept yet, no address is set, or too often
    """
    kept = dossiers.newest(application.id)
    problem = ""
    if application.state != "submitted":
        problem = tk._("This file does not wait for the board's decision.")
    elif config.gateway_transport() != "dossier" or not config.board_email():
        problem = tk._("No address of the executive board is configured: record its answer by hand.")
    elif kept is None or kept.version != application.version:
        problem = tk._("The dossier is being made. Try again in a minute.")
    elif not throttle.allowed("board-link", application.id, LINKS_AN_HOUR):
        problem = tk._("Too many tries. Wait an hour, then try again.")
    if problem or kept is None:  # the second is one of the first, which the type checker cannot see
        session().rollback()
        raise tk.ValidationError({"dossier": [problem]})
    link = dossiers.send(application, kept)
    record(Event.DOSSIER_SENT_AGAIN, actor, "application", application.id, application.organization_id)
    return link


def dinamis_board_link_resend(context: Context, data_dict: Data) -> Data:
    """Send a new link to the board's configured address, for the holder of one that has expired.

    :param token: the expired one; a link that may still be used is not replaced
    """
    tk.check_access("dinamis_board_link_resend", context, data_dict)
    token = tk.get_or_bust(data_dict, "token")
    application = locked(onetime.by_token(BoardLink, token).application_id)
    if state_of(onetime.by_token(BoardLink, token, lock=True), application) != "expired":
        session().rollback()
        raise tk.ValidationError({"token": [tk._("Only an expired link can be replaced from here.")]})
    with one_commit():
        _send_again(application, "board_link")
    return {"sent": True}


def dinamis_dossier_send(context: Context, data_dict: Data) -> Data:
    """Send the dossier to the executive board again, with a new link; earlier links end.

    :param id: the file, which the board has to decide
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_dossier_send", context, data_dict)
    application = locked(id_)
    with one_commit():
        link = _send_again(application, actor_of(context))
    return {"sent": True, "email": link.email, "expires_at": isoformat(link.expires_at)}


def dinamis_dossier_revoke(context: Context, data_dict: Data) -> Data:
    """End the board's link to a file: nobody decides by it any more. A new one can be sent.

    :param id: the file
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_dossier_revoke", context, data_dict)
    application = locked(id_)
    with one_commit():
        ended = dossiers.end_links(application)
        if ended:
            record(Event.DOSSIER_LINK_REVOKED, actor_of(context), "application", application.id,
                   application.organization_id)  # fmt: skip
    return {"revoked": ended}


@tk.side_effect_free
def dinamis_dossier_show(context: Context, data_dict: Data) -> Data:
    """How a file left for the executive board as a dossier: the ZIP kept, and the links that were mailed.

    :param id: the file
    :returns: ``{"transport", "email", "kept", "links"}``; ``kept`` is ``{version, sha256, size, created_at}`` or None,
        each link ``{email, sent_at, expires_at, status, used_at}``; no link's address is ever told
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_dossier_show", context, data_dict)
    application = readable(id_, user_of(context))
    kept: Dossier | None = dossiers.newest(application.id)
    return {
        "transport": config.gateway_transport(),
        "email": config.board_email(),
        "kept": {"version": kept.version, "sha256": kept.sha256, "size": kept.size,
                 "created_at": isoformat(kept.created_at)} if kept else None,
        "links": [
            {"email": link.email, "sent_at": isoformat(link.created_at), "expires_at": isoformat(link.expires_at),
             "status": state_of(link, application), "used_at": isoformat(link.used_at)}
            for link in dossiers.links(application.id)
        ],
    }  # fmt: skip


def dossier_zip(application_id: str, context: Any) -> tuple[str, bytes]:
    """A file's dossier as (name, ZIP), for who may read the file.

    :raises toolkit.NotAuthorized: not this user
    """
    tk.check_access("dinamis_document_list", context, {"application_id": application_id})
    return dossiers.zip_of(readable(application_id, user_of(context)))
