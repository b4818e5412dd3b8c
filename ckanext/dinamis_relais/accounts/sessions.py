"""Ending the browser sessions of a CKAN user, wherever they are kept (cookie, Redis, files).

CKAN has no list of a user's sessions. So each session notes when its person logged in, and one that began before
the moment kept in ``SessionEnd`` is over: it is refused at its next request, on every server.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from flask_login import user_logged_in

from ckanext.dinamis_relais.accounts.model import SessionEnd
from ckanext.dinamis_relais.db import session, utcnow

KEY = "dinamis_login_at"


def end_all(user_id: str) -> None:
    """End the sessions and API tokens of a user; the caller commits."""
    db = session()
    row = db.get(SessionEnd, user_id) or SessionEnd(user_id=user_id)
    row.at = utcnow()
    db.add(row)
    db.execute(
        sa.delete(model.ApiToken).where(model.ApiToken.user_id == user_id).execution_options(synchronize_session=False)
    )


@user_logged_in.connect
def _note_login(_sender: Any, **_extra: Any) -> None:
    from flask import session as web_session

    web_session[KEY] = utcnow().isoformat()


def is_over() -> bool:
    """Whether the present request's session was ended since its person logged in.

    A session that came from a "remember me" cookie notes no login: it counts as older.
    """
    from flask import session as web_session

    user_id = web_session.get("_user_id")
    if not user_id or tk.current_user.is_anonymous:
        return False
    query = sa.select(SessionEnd.at).where(SessionEnd.user_id == tk.current_user.id)  # type: ignore[union-attr]
    end = session().execute(query).scalar_one_or_none()
    if end is None:
        return False
    noted = web_session.get(KEY)
    return noted is None or dt.datetime.fromisoformat(noted) <= end
