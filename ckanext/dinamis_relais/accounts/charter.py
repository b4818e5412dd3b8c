"""The charter of use: each person accepts the version in force, themselves, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import OPEN
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit

MODEL = Path(__file__).parent / "charter.fr.txt"


def text() -> dict[str, Any]:
    """The charter in force.

    :returns: ``{"version", "paragraphs", "model"}``; ``model`` is True for the shipped text, which binds nobody
    """
    own = config.user_charter()
    content = (own or MODEL).read_text(encoding="utf-8")
    paragraphs = [" ".join(part.split()) for part in content.split("\n\n") if part.strip()]
    return {"version": config.user_charter_version(), "paragraphs": paragraphs, "model": own is None}


def accept(row: Account, actor: str) -> None:
    """Note that an account's person accepts the version in force; the caller commits."""
    row.charter_version, row.charter_accepted_at = config.user_charter_version(), utcnow()
    record(Event.ACCOUNT_CHARTER_ACCEPTED, actor, "account", row.id, row.organization_id, version=row.charter_version)


def awaited(user_id: str) -> Any:
    """The ``select`` of a person's running accounts for which the version in force is not accepted."""
    return sa.select(Account).where(
        Account.user_id == user_id,
        Account.state.in_(OPEN),
        sa.or_(Account.charter_version.is_(None), Account.charter_version != config.user_charter_version()),
    )


def dinamis_charter_accept(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Accept the charter of use in force, for all of one's own accounts that run.

    :param version: the version that was read; when another one is in force meanwhile, nothing is accepted
    :returns: ``{"version", "accounts"}``: how many accounts
    """
    tk.check_access("dinamis_charter_accept", context, data_dict)
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to see your account."))
    with one_commit():
        if data_dict.get("version") != config.user_charter_version():
            raise GuardError("version", tk._("The charter has changed meanwhile. Read it again, please."))
        rows = list(session().execute(awaited(user.id).with_for_update()).scalars())
        for row in rows:
            # They have logged in with a password that only a mailed link lets one choose.
            row.email_verified_at = row.email_verified_at or utcnow()
            accept(row, user.id)
    return {"version": config.user_charter_version(), "accounts": len(rows)}
