"""What a person watches, among their data: given, and erased."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.alerts import watching
from ckanext.dinamis_relais.alerts.model import Watch
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal import Event


def export(user_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The places that some logins watch, and the messages about them."""
    ids = set(user_ids)
    rows = session().execute(sa.select(Watch).where(Watch.user_id.in_(ids)).order_by(Watch.created_at)).scalars()
    mailed = sa.select(Mail).where(Mail.object_type == "watch", Mail.object_id.in_(ids)).order_by(Mail.created_at)
    return {
        "watched": [
            {"kind": row.kind, "code": row.code, "name": row.name, "since": isoformat(row.created_at)} for row in rows
        ],
        "watched_mails": [
            {"at": isoformat(one.created_at), "to": one.recipient, "subject": one.subject, "text": one.body}
            for one in session().execute(mailed).scalars()
        ],
    }


def erase_of(user_id: str, actor: str) -> int:
    """Forget what a login watches and what it was told; the caller commits.

    :returns: how many places
    """
    rows = watching.of_user(user_id, lock=True)
    watching.stop(rows, actor, Event.WATCH_ERASED)
    mailer.wipe("watch", user_id)
    return len(rows)
