"""Where and when the scenes of each collection lie, noted at the end of each listing that changed one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import tally
from ckanext.dinamis_relais.imagery.model import collections, scenes
from ckanext.dinamis_relais.imagery.moments import parse_moment

_EDGES = (
    sa.func.min(sa.func.ST_XMin(scenes.c.geom)), sa.func.min(sa.func.ST_YMin(scenes.c.geom)),
    sa.func.max(sa.func.ST_XMax(scenes.c.geom)), sa.func.max(sa.func.ST_YMax(scenes.c.geom)),
)  # fmt: skip


def note(connection: Any, names: Any) -> None:
    """Measure some collections.

    :param names: SQL condition of the scenes
    """
    held = sa.func.json_build_object(
        "start", sa.func.min(scenes.c.datetime), "end", sa.func.max(scenes.c.end_datetime), "bbox",
        sa.func.json_build_array(*_EDGES),
    )  # fmt: skip
    measured = sa.select(scenes.c.collection, held.label("held")).where(names).group_by(scenes.c.collection).subquery()
    change = collections.update().where(collections.c.id == measured.c.collection).values(held=measured.c.held)
    connection.execute(change)


def read(engine: Any) -> dict[str, dict[str, Any]]:
    """What each collection holds: ``count``, ``bbox`` (west, south, east, north), ``start``, ``end`` (UTC).

    The count is that of now; the rest is of the last complete listing, or measured now when there was none yet.
    """
    with engine.connect() as connection:
        rows = connection.execute(sa.select(collections.c.id, collections.c.held)).all()
        held = {row.id: row.held for row in rows}
        missing = [name for name, known in held.items() if known is None]
        if missing:
            edges = [edge.label(name) for edge, name in zip(_EDGES, "wsen", strict=True)]
            times = sa.func.min(scenes.c.datetime).label("start"), sa.func.max(scenes.c.end_datetime).label("end")
            query = sa.select(scenes.c.collection, *times, *edges).where(scenes.c.collection.in_(missing))
            for row in connection.execute(query.group_by(scenes.c.collection)):
                held[row.collection] = {"start": row.start, "end": row.end, "bbox": [row.w, row.s, row.e, row.n]}
        counts = tally.by_collection(connection)
    return {
        name: {"count": counts[name], "bbox": known["bbox"], **{end: _moment(known[end]) for end in ("start", "end")}}
        for name, known in held.items() if known and counts.get(name)
    }  # fmt: skip


def _moment(value: Any) -> dt.datetime | None:
    return value if isinstance(value, dt.datetime) else parse_moment(value)[0]
