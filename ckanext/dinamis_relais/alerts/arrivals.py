"""What came into the scene store since a snapshot of it: each scene once, whatever was being written meanwhile.

``scene.arrived`` is the transaction that brought a scene, ``updated`` only when it was last written: a change is no
arrival, and a transaction that began earlier may be seen later. So a cursor is a whole snapshot: new is what the
present one sees and that one did not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import search
from ckanext.dinamis_relais.imagery.model import KEYSET, scenes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class New:
    """What is new over a place.

    :ivar count: how many scenes
    :ivar items: STAC items of those taken last
    """

    count: int
    items: list[dict[str, Any]]


class Look:
    """One look at the store; all that it tells is of one moment.

    :ivar snapshot: that moment, the cursor of the next look
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.snapshot = str(connection.execute(sa.text("SELECT txid_current_snapshot()::text")).scalar_one())

    def since(self, cursor: str, geometry: dict[str, Any], most: int) -> New:
        """Scenes over a place that a former look did not see.

        :param cursor: the former look's snapshot
        :param geometry: GeoJSON (longitude, latitude)
        :param most: items to give
        """
        if _begins(cursor) > _ends(self.snapshot):
            # A store that was restored elsewhere counts its transactions anew: nobody can say what came since.
            log.warning("alerts: the scene store was restored; what came since is not told")
            return New(0, [])
        then = sa.cast(sa.literal(cursor), sa.Text).op("::")(sa.text("txid_snapshot"))
        new = sa.and_(
            search.parse({"intersects": geometry}).where(),
            scenes.c.arrived >= _begins(cursor),
            sa.not_(sa.func.txid_visible_in_snapshot(scenes.c.arrived, then)),
        )
        count = self._connection.execute(sa.select(sa.func.count()).where(new)).scalar_one()
        query = sa.select(sa.cast(scenes.c.item, sa.Text)).where(new).order_by(*KEYSET).limit(most)
        found = self._connection.execute(query).scalars() if count else ()
        return New(count, [orjson.loads(text) for text in found])


@contextmanager
def look(engine: Any) -> Iterator[Look]:
    """Look at the store as it is now.

    :param engine: of the scene store
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield Look(connection)


def _begins(snapshot: str) -> int:
    """The first transaction that a snapshot may not see."""
    return int(snapshot.split(":", maxsplit=1)[0])


def _ends(snapshot: str) -> int:
    return int(snapshot.split(":")[1])
