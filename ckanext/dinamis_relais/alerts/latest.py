"""The scenes that came last into the store."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.db import isoformat
from ckanext.dinamis_relais.imagery.model import LATEST, scenes
from ckanext.dinamis_relais.imagery.search import Search


def latest(engine: Any, search: Search, limit: int) -> list[dict[str, Any]]:
    """Items that match a search, those that came or changed last first; ``updated`` is when (RFC 3339, UTC).

    :param engine: of the scene store
    """
    # Items are large: the order is found without them.
    keys = sa.select(scenes.c.collection, scenes.c.id).where(search.where()).order_by(*LATEST).limit(limit).subquery()
    query = (
        sa.select(sa.cast(scenes.c.item, sa.Text), scenes.c.updated)
        .join(keys, sa.and_(scenes.c.collection == keys.c.collection, scenes.c.id == keys.c.id))
        .order_by(*LATEST)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [{**orjson.loads(text), "updated": isoformat(updated)} for text, updated in rows]
