"""A person's use cases among their data: given; once erased, nobody knows who wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import journal
from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.use_cases import datasets
from ckanext.dinamis_relais.use_cases.model import UseCase


def _of(user_ids: Iterable[str]) -> list[UseCase]:
    query = sa.select(UseCase).where(UseCase.author_id.in_(set(user_ids))).order_by(UseCase.created_at, UseCase.id)
    return list(session().execute(query.with_for_update()).scalars())


def export(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The use cases of some logins with their texts."""
    rows = _of(user_ids)
    packages = session().execute(sa.select(model.Package).where(model.Package.id.in_([row.id for row in rows])))
    texts = datasets.texts_of(packages.scalars())
    return [
        {"id": row.id, "state": row.state, "themes": row.themes, "created_at": isoformat(row.created_at),
         "reason": row.reason, **texts.get(row.id, {})}
        for row in rows
    ]  # fmt: skip


def erase_of(user_id: str, actor: str) -> int:
    """Forget the author of a login's use cases and the messages to them; the caller commits.

    :returns: how many
    """
    rows = _of([user_id])
    for row in rows:
        row.author_id, row.reason = None, None
        package: Any = model.Package.get(row.id)
        if package is not None:
            package.creator_user_id = None
        mailer.wipe("use_case", row.id)
        journal.erase_private("use_case", row.id)
        record(Event.USE_CASE_ERASED, actor, "use_case", row.id, row.organization_id)
    return len(rows)
