"""How many scenes there are of each collection and kind (kinds.py): kept as they come and go.

To count a million scenes takes longer than to answer the page that says how many there are. Numbers are added as lines
of their own, a removed scene as -1, so that two harvests never wait for each other; the end of a listing sums them up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import OperationalError

from ckanext.dinamis_relais import copying
from ckanext.dinamis_relais.imagery.kinds import CLOUDS, Kind
from ckanext.dinamis_relais.imagery.model import scenes
from ckanext.dinamis_relais.imagery.model import tally as table

_CLASS = sa.case(*((scenes.c.cloud <= step, step) for step in CLOUDS), (scenes.c.cloud.isnot(None), 100))
#: SQL: the kind of a scene.
KIND = (
    sa.cast(sa.func.date_part("year", scenes.c.datetime), sa.Integer).label("year"), scenes.c.platform,
    _CLASS.label("cloud"),
)  # fmt: skip
#: Bytes of the table from which on its room is given back; milliseconds that this may wait for a harvest.
LARGE, PATIENCE = 1 << 18, 200
_NAMES = ("collection", "year", "platform", "cloud", "count")


@dataclass(frozen=True)
class Asked:
    """What is counted; None for any.

    :ivar cloud: one of ``CLOUDS``: at most so many percent
    """

    collections: tuple[str, ...] | None = None
    platform: str | None = None
    cloud: int | None = None

    def where(self) -> Any:
        """The SQL condition."""
        found: list[Any] = [sa.true()]
        if self.collections is not None:
            found.append(table.c.collection.in_(self.collections))
        if self.platform is not None:
            found.append(table.c.platform == self.platform)
        if self.cloud is not None:
            found.append(table.c.cloud <= self.cloud)
        return sa.and_(*found)


def asked(body: Mapping[str, Any], spelled: Callable[[str], str]) -> Asked | None:
    """What a STAC search asks for beside its period, when it can be counted here; None when it cannot.

    :param body: checked already
    :param spelled: brings the name of a platform to the store's spelling
    """
    if any(body.get(name) is not None for name in ("bbox", "intersects", "ids", "filter")):
        return None
    names, query = body.get("collections"), dict(body.get("query") or {})
    names = names.split(",") if isinstance(names, str) else names
    platform, cloud = query.pop("platform", {"eq": None}), query.pop("eo:cloud_cover", {"lte": None})
    if query or set(platform) != {"eq"} or set(cloud) != {"lte"} or cloud["lte"] not in (None, *CLOUDS):
        return None
    name = platform["eq"]
    return Asked(tuple(names) if names else None, None if name is None else spelled(name), cloud["lte"])


def add(connection: Any, counts: Mapping[tuple[str, Kind], int]) -> None:
    """Count scenes in, or out where the number is negative, in the connection's transaction.

    :param counts: by collection and kind
    """
    lines = [copying.line((name, *of, count)) for (name, of), count in counts.items() if count]
    if lines:
        # Some hundred rows a page: SQLAlchemy would take longer to write such an INSERT than PostgreSQL to do it.
        copying.copy(connection, table.name, _NAMES, "".join(lines).encode())


def delete(connection: Any, where: Any) -> int:
    """Delete scenes and count them out.

    :param where: SQL condition of the scenes
    :returns: how many
    """
    gone = scenes.delete().where(where).returning(scenes.c.collection, *KIND).cte("gone")
    groups = [gone.c[name] for name in _NAMES[:-1]]
    lines = sa.select(*groups, -sa.func.count()).group_by(*groups)
    told = table.insert().from_select(_NAMES, lines).returning(table.c.count).cte("told")
    return connection.execute(sa.select(sa.func.coalesce(-sa.func.sum(told.c.count), 0))).scalar_one()


def sum_up(connection: Any) -> None:
    """Make one line of each kind; what others add meanwhile stays for the next time."""
    gone = table.delete().returning(*table.c).cte("gone")
    groups = [gone.c[name] for name in _NAMES[:-1]]
    total = sa.func.sum(gone.c.count)
    connection.execute(
        table.insert().from_select(_NAMES, sa.select(*groups, total).group_by(*groups).having(total != 0))
    )


def shrink(engine: Any) -> None:
    """Give back the room of the lines that were summed up: the pages that ask for numbers read all of it.

    PostgreSQL by itself keeps what stands before the last line. When a harvest writes just now, the next one does it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        size = sa.select(sa.func.pg_relation_size(sa.cast(table.name, REGCLASS)))
        if connection.execute(size).scalar_one() < LARGE:
            return
        connection.execute(sa.text(f"SET lock_timeout = {PATIENCE}"))
        try:
            connection.execute(sa.text(f"VACUUM FULL {table.name}"))
        except OperationalError as error:
            if getattr(error.orig, "pgcode", "") != "55P03":  # lock_not_available
                raise
        finally:
            connection.execute(sa.text("RESET lock_timeout"))


def total(connection: Any, wanted: Asked) -> int:
    """How many scenes there are."""
    query = sa.select(sa.func.coalesce(sa.func.sum(table.c.count), 0)).where(wanted.where())
    return int(connection.execute(query).scalar_one())


def platforms(connection: Any) -> list[str]:
    """The satellites that the store knows, in order."""
    query = sa.select(table.c.platform).where(table.c.platform.isnot(None)).group_by(table.c.platform)
    return sorted(connection.execute(query.having(sa.func.sum(table.c.count) > 0)).scalars())


def years_and_platforms(connection: Any, wanted: Asked) -> tuple[list[tuple[int, int]], list[str]]:
    """How many scenes there are of each year (UTC), years in order; and :func:`platforms`, by the same question.

    :param wanted: limits the years, not the satellites
    """
    total = sa.func.sum(table.c.count)
    some = sa.func.coalesce(total.filter(wanted.where()), 0)
    query = sa.select(table.c.year, table.c.platform, total, some).group_by(table.c.year, table.c.platform)
    of_year, of_platform = Counter[int](), Counter[str]()
    for year, platform, count, matching in connection.execute(query):
        of_year[year] += int(matching)
        if platform is not None:
            of_platform[platform] += int(count)
    known = sorted(name for name, count in of_platform.items() if count > 0)
    return [(year, count) for year, count in sorted(of_year.items()) if count > 0], known


def by_collection(connection: Any) -> dict[str, int]:
    """How many scenes each collection has."""
    query = sa.select(table.c.collection, sa.func.sum(table.c.count)).group_by(table.c.collection)
    return {row[0]: int(row[1]) for row in connection.execute(query)}
