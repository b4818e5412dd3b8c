"""To whom people reply: each mail belongs to a group, which has an address; or the moderator who has the thing in hand.

The table is the whole truth: the page of the mails' texts and ``docs/mails.md`` show it.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import can
from ckanext.dinamis_relais.db import session

#: Group of mails → the beginnings of their names. No two of them fit one mail.
GROUPS: dict[str, tuple[str, ...]] = {
    "membership": ("application_", "membership_", "signature_", "reacceptance_", "correction_", "term_", "board_"),
    "accounts": ("account_", "sending_account"),
    "requests": ("request_", "sending_request", "new_images"),
    "questions": ("question_", "sending_question"),
    "community": ("use_case_", "event_"),
    "technical": ("harvest_", "journal_"),
}


def group_of(name: str) -> str | None:
    """The group of a mail, None when it has none.

    >>> group_of("account_active"), group_of("sending_request"), group_of("else")
    ('accounts', 'requests', None)
    """
    return next((group for group, begins in GROUPS.items() if name.startswith(begins)), None)


def usual(name: str) -> str:
    """The address to which people reply to a mail: its group's, else ``contact_email``; empty when there is none."""
    return config.reply_addresses().get(group_of(name) or "", "") or config.contact_email()


def _of_application(id_: str) -> str | None:
    from ckanext.dinamis_relais.membership.model import Application

    return session().execute(sa.select(Application.claimed_by).where(Application.id == id_)).scalar()


def _of_request(id_: str) -> str | None:
    """Who examines a request: the moderator who put it on hold last."""
    from ckanext.dinamis_relais.imagery_requests.model import RequestStep

    query = sa.select(RequestStep.actor_id).where(
        RequestStep.request_id == id_, RequestStep.code == "held", RequestStep.side == "pigma"
    )
    return session().execute(query.order_by(RequestStep.position.desc()).limit(1)).scalar()


#: Kind of thing that a moderator takes in hand → (id of a thing → the moderator's id), and the right that they need.
IN_HAND: dict[str, tuple[Callable[[str], str | None], str]] = {
    "application": (_of_application, "application.review"),
    "request": (_of_request, "request.decide"),
}


def _moderator(kind: str, id_: str) -> str:
    """Address of the moderator who has a thing in hand; empty for nobody, or for one who may not act on it any more."""
    if kind not in IN_HAND:
        return ""
    find, verb = IN_HAND[kind]
    user = model.User.get(find(id_) or "")
    return str(user.email or "") if user is not None and user.state == "active" and can(user, verb) else ""


def address(name: str, thing: tuple[str, str, str | None]) -> str:
    """The address to which people reply to one mail.

    :param thing: (object type, object id, organisation id) that it is about
    """
    return (_moderator(thing[0], thing[1]) if config.reply_to_claimed() else "") or usual(name)
