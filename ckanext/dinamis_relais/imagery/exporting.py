"""Scenes out of the store into a file that this and other catalogues read: NDJSON, one STAC object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.model import scenes
from ckanext.dinamis_relais.imagery.search import Search, all_collections

#: Rows that the server hands over at once: what bounds the memory.
PORTION = 1000


def lines(engine: Any, search: Search) -> Iterator[bytes]:
    """The collections that a search touches, then its scenes as they are stored, ordered by collection and id.

    A harvest source of the kind *file* takes them as they are.

    :param search: which scenes; its page does not matter
    """
    within = sa.select(scenes.c.collection).where(search.where()).distinct()
    query = sa.select(sa.cast(scenes.c.item, sa.Text)).where(search.where())
    with engine.connect() as connection:
        touched = set(connection.execute(within).scalars())
    for row in all_collections(engine):
        if row["id"] in touched:
            yield orjson.dumps({**row["body"], "type": "Collection", "id": row["id"]}) + b"\n"
    with engine.connect().execution_options(stream_results=True, max_row_buffer=PORTION) as connection:
        for (item,) in connection.execute(query.order_by(scenes.c.collection, scenes.c.id)):
            # As stored, it may have been written over several lines.
            yield (item.encode() if "\n" not in item else orjson.dumps(orjson.loads(item))) + b"\n"
