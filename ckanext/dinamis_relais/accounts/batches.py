"""What may be done with accounts in quantity; each row is the action for one."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.accounts import schema
from ckanext.dinamis_relais.accounts.entry import add, collisions
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.moderation import decide
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import UNCHANGED, Handler, Outcome
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.portal import labels
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit

__all__ = ["account_import", "account_transition"]


def _transition(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    data = {"id": payload["id"], **{k: v for k, v in params.items() if v}}
    targets = {row.target for row in MACHINE if row.name == params["transition"]}
    row = session().get(Account, payload["id"])
    if row is not None and row.state in targets:  # a run that was killed had done it, or somebody else has
        return Outcome(UNCHANGED, tk._("It was so already."), payload["id"])
    done = decide(context, data)
    return Outcome(message=labels.states()["account"][done.state][0], object_id=payload["id"])


def _transition_title(params: dict[str, Any]) -> str:
    return tk._("{action}: accounts").format(action=labels.transitions()["account"][params["transition"]])


def _import(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    del params
    tk.check_access("dinamis_account_import", context, {})
    data = validated(dict(payload), schema.person(), context)
    with one_commit(), collisions(data["email"]):
        row = add(data, "import", actor_of(context), validate=True)
    return Outcome(message=tk._("Entered; the invitation leaves."), object_id=row.id)


def _import_title(params: dict[str, Any]) -> str:
    return tk._("People of the file {name}").format(name=params.get("name") or "CSV")


account_transition = Handler(
    "account_transition", _transition, _transition_title, "dinamis_accounts.queue", "dinamis_accounts.read"
)
account_import = Handler("account_import", _import, _import_title, "dinamis_accounts.queue", "dinamis_accounts.read")
