"""What of accounts leaves for DINAMIS: the person's present state, confirmed by its answer."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts import effects
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import isoformat, utcnow
from ckanext.dinamis_relais.gateway import Target, api
from ckanext.dinamis_relais.machine import GuardError

__all__ = ["account"]

log = logging.getLogger(__name__)


def _prepare(row: Account) -> dict[str, Any]:
    names = ("membership_id", "organization_id", "email", "given_name", "family_name", "function", "purpose", "role")
    return {
        "version": row.version,
        "state": row.state,
        **{name: getattr(row, name) for name in names},
        "ends_on": isoformat(row.ends_on),
    }


def _apply(row: Account, answer: dict[str, Any]) -> None:
    """DINAMIS confirms: a validated account becomes active; while it does not, it is asked again."""
    row.reference = answer.get("reference") or row.reference
    if row.state != "validated":
        return
    if answer.get("status") != "active":
        row.next_poll_at = utcnow() + dt.timedelta(seconds=config.gateway_poll_seconds())
        return
    try:
        effects.apply(row, "activate", "dinamis")
    except GuardError as error:
        log.error("Account %s is not activated: %s", row.id, error)
        row.last_error = str(error)


account = Target("account", Account, _prepare, api.send, _apply, api.enabled)
