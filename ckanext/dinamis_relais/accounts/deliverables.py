"""What of accounts leaves for DINAMIS: the person's present state, confirmed by its answer."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts import effects
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import isoformat, utcnow
from ckanext.dinamis_relais.gateway import Group, Said, Target, api
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.tables import Column

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


#: States as DINAMIS's people read them in the table of a grouped mail; its JSON has the contract's words.
_STATES = {"validated": "à ouvrir", "active": "actif", "suspended": "suspendu", "closed": "fermé", "expired": "échu"}
_ROLES = {"member": "membre", "referent": "référent"}


def _organization(row: Account) -> str:
    group = model.Group.get(row.organization_id)
    return (group.title or group.name) if group else ""


def _cells(row: Account, body: dict[str, Any]) -> list[Any]:
    names = ("family_name", "given_name", "email", "function", "purpose")
    return [_STATES.get(body["state"], body["state"]), *(body[name] for name in names),
            _ROLES.get(body["role"], body["role"]), _organization(row), body["ends_on"], row.id]  # fmt: skip


def _settle(row: Account, said: Said) -> None:
    """DINAMIS confirms: a validated account becomes active. It refuses: the account is closed, with its reason."""
    row.reference = said.reference or row.reference
    if not said.refused:
        if row.state == "validated":
            effects.apply(row, "activate", said.actor)
        return
    if row.state == "validated":
        effects.apply(row, "close", said.actor, said.words)
        row.delivered_version = row.version  # what DINAMIS said itself is not said back
        return
    # It will not take note of a suspension or an end as it is: visible as failed, sent again by hand.
    row.owe()
    row.failed_at, row.last_error = utcnow(), said.words


_GROUP = Group(
    stem="comptes",
    mail="sending_account",
    columns=(Column("État demandé"), Column("Nom"), Column("Prénom"), Column("Courriel"), Column("Fonction"),
             Column("Usage"), Column("Rôle"), Column("Organisation"), Column("Fin", "day"), Column("Identifiant")),
    cells=_cells,
    settle=_settle,
    title=lambda row: f"{row.given_name} {row.family_name} · {_organization(row)}".strip(" ·"),
    page="dinamis_accounts.read",
)  # fmt: skip

account = Target("account", Account, _prepare, api.send, _apply, api.enabled, _GROUP)
