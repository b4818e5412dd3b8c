"""Rights of CKAN's own actions that this room narrows."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import AuthResult, Context, DataDict

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE, OPEN
from ckanext.dinamis_relais.db import session

__all__ = ["user_reset"]


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def user_reset(next_auth: Any, context: Context, data_dict: DataDict | None = None) -> AuthResult:
    """CKAN's password reset, refused to a login whose address is under review and that holds no account yet.

    CKAN lets a pending user become active by a reset (a request must not be walked around like that).
    """
    user = model.User.get(str(context.get("user") or ""))
    if user is not None and user.email and _under_review(user):
        return {"success": False, "msg": tk._("This address is being examined by PIGMA, which writes to it.")}
    return next_auth(context, data_dict)


def _under_review(user: model.User) -> bool:
    states = sa.select(Account.state, Account.user_id).where(
        sa.or_(Account.email == str(user.email).lower(), Account.user_id == user.id)
    )
    found = list(session().execute(states))
    holds = any(state in OPEN and user_id == user.id for state, user_id in found)
    return not holds and any(state == MACHINE.initial for state, _user_id in found)
