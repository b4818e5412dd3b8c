"""How the page of an area is looked for: among the next scenes in the order of time, or among all that lie there.

PostgreSQL cannot tell: PostGIS's statistics spread a footprint over the cells that it covers, so that it takes a small
box under thousands of large footprints for a rare one, compares them all, and sorts them. Of some of the next scenes
in time we see how many lie in the area, and so how many must be looked at for a page, and whether all can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.model import scenes

#: Scenes in the order of time that are looked at first.
FIRST = 1000
#: What a share that was seen among them may be wrong by.
SAFETY = 1.3

_ROW = sa.literal_column("scene.ctid")


@dataclass(frozen=True)
class Walk:
    """What was found among the next scenes in time.

    :ivar rows: of the page, None when they must be looked for among all scenes of the area
    :ivar share: of the scenes looked at that match, 0 to 1
    """

    rows: list[Any] | None
    share: float


def walk(connection: Any, query: Any, among: Any, order: Any, wanted: int) -> Walk:
    """Look for a page among the next scenes in an order that an index has.

    :param query: the ``select`` of the page, sorted and limited
    :param among: SQL condition of the scenes to look at: a part of the search's that the same index answers
    :param order: the elements of ORDER BY
    :param wanted: rows of the page
    """

    def among_first(most: int) -> list[Any]:
        next_ = sa.select(_ROW).select_from(scenes).where(among).order_by(*order).limit(most)
        rows = sa.func.array(next_.correlate(None).scalar_subquery())
        return connection.execute(query.where(sa.any_(rows) == _ROW)).all()

    found = among_first(FIRST)
    share = len(found) / FIRST
    if len(found) < wanted and share:
        needed = int(SAFETY * wanted / share)
        # As many scenes as lie in the area would be looked at, were they all compared.
        found = among_first(needed) if needed < share * all_(connection) else []
    return Walk(found if len(found) >= wanted else None, share)


def all_(connection: Any) -> float:
    """About how many scenes there are, as PostgreSQL's statistics say; none is looked at."""
    query = sa.text("EXPLAIN (FORMAT JSON) SELECT 1 FROM scene")
    return float(connection.execute(query).scalar_one()[0]["Plan"]["Plan Rows"])
