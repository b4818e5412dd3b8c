"""Tables of the scene store: a PostGIS database of its own, never CKAN's (design, 7).

PostGIS inside CKAN's database breaks ``ckan db clean``; the DataStore's way, a second database with its
own address, works. Nothing here touches CKAN's session.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

#: Tables of the scene store; apart from CKAN's metadata on purpose.
metadata = sa.MetaData()

_MOMENT = sa.DateTime(timezone=True)

#: STAC collections as their source describes them, each owned by one harvest source; ``held``: see extents.py.
collections = sa.Table(
    "collection",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("source_url", sa.Text, nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.Column("asset_roles", JSON, nullable=False, server_default="{}"),
    sa.Column("updated", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.Column("held", JSON),
)

#: One row a scene. ``item`` is the STAC 1.1 item as it is answered, its ``links`` last (see store.py);
#: ``datetime`` is the item's, or its start; ``cloud`` is a percentage, null when the source does not know it;
#: ``hash`` is that of the item as the source gave it, so that the unchanged is skipped before any work;
#: ``arrived`` is the transaction that brought the scene, 0 before there was this column (alerts/arrivals.py).
scenes = sa.Table(
    "scene",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("datetime", _MOMENT, nullable=False),
    sa.Column("end_datetime", _MOMENT, nullable=False),
    sa.Column("cloud", sa.Float),
    sa.Column("platform", sa.Text),
    sa.Column("gsd", sa.Float),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("hash", UUID(as_uuid=False), nullable=False),
    sa.Column("updated", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.Column("arrived", sa.BigInteger, nullable=False, server_default=sa.func.txid_current()),
    sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
    sa.Column("item", JSON, nullable=False),
)

#: One row a listing of one collection of one source. ``cursor`` is the request that comes next, committed
#: with the page before it: a listing that was interrupted goes on there, and no page counts twice. ``fresh``: the store
#: had nothing of it, so that all there is has been listed by this run.
runs = sa.Table(
    "harvest_run",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("part", sa.Text, nullable=False, server_default=""),
    sa.Column("fresh", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("job_id", sa.Text),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="running"),
    sa.Column("cursor", JSONB),
    sa.Column("started", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.Column("updated", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.Column("finished", _MOMENT),
    sa.Column("matched", sa.BigInteger),
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in ("pages", "listed", "created", "changed", "unchanged", "problems", "vanished", "kept")
    ),
    sa.Column("message", sa.Text),
)

#: What a run has listed so far. Narrow, so that an unchanged scene costs no write to its own row.
seen = sa.Table(
    "harvest_seen",
    metadata,
    sa.Column("run_id", sa.BigInteger, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
)

#: The same of a file's lines that are in the store as they are: hashes of scenes, a row for each page of the file.
untouched = sa.Table(
    "harvest_untouched",
    metadata,
    sa.Column("run_id", sa.BigInteger, nullable=False),
    sa.Column("hashes", ARRAY(UUID(as_uuid=False)), nullable=False),
)

#: Every item that could not be taken, or was repaired: what, where, and what to do.
problems = sa.Table(
    "harvest_problem",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.BigInteger, nullable=False),
    sa.Column("item_id", sa.Text),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("fatal", sa.Boolean, nullable=False),
)

#: A picture of a series' footprints, drawn anew when ``mark`` says that its scenes changed.
pictures = sa.Table(
    "series_picture",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("png", sa.LargeBinary, nullable=False),
    sa.Column("updated", _MOMENT, nullable=False, server_default=sa.func.now()),
)

#: Which properties the scenes of a collection have, and of which kind: ``text``, ``number``, ``boolean``, ``list``,
#: ``object``. Grows as pages are loaded; a property that only deleted scenes had stays until its source is cleared.
properties = sa.Table(
    "collection_property",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
)

#: How many scenes there are of each kind (tally.py): the sum of ``count``, which is negative for scenes that went.
#: ``cloud`` is the upper end of a class in percent, null when the clouds are unknown.
tally = sa.Table(
    "scene_tally",
    metadata,
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("platform", sa.Text),
    sa.Column("cloud", sa.Integer),
    sa.Column("count", sa.BigInteger, nullable=False),
)

#: How many scenes have their centre in each cell of a grid (extents.py), as the last complete listing left it.
grid = sa.Table(
    "scene_grid",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("x", sa.Integer, primary_key=True),
    sa.Column("y", sa.Integer, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)

#: The order of every page: newest first, then collection and id so that it is total.
KEYSET = (scenes.c.datetime.desc(), scenes.c.collection, scenes.c.id)

#: What came or changed last first: the order of the feed of new scenes.
LATEST = (scenes.c.updated.desc(), *KEYSET)

_INDEXES = (
    sa.Index("scene_geom", scenes.c.geom, postgresql_using="gist"),
    sa.Index("scene_keyset", *KEYSET),
    sa.Index("scene_collection_keyset", scenes.c.collection, *KEYSET[:1], scenes.c.id),
    sa.Index("scene_latest", *LATEST[:2]),
    sa.Index("scene_arrived", scenes.c.arrived, postgresql_using="brin"),
    sa.Index("scene_cloud", scenes.c.cloud),
    sa.Index("scene_hash", scenes.c.hash),
    sa.Index("harvest_run_source", runs.c.source_id, runs.c.collection, runs.c.id),
    sa.Index("harvest_run_job", runs.c.job_id),
    sa.Index("harvest_seen_run", seen.c.run_id, seen.c.collection, seen.c.id),
    sa.Index("harvest_untouched_run", untouched.c.run_id),
    sa.Index("harvest_problem_run", problems.c.run_id),
)

VERSION_TABLE = "dinamis_scenes_version"


#: Of each connection. PostGIS declares its functions so dear that PostgreSQL compiles each search and starts further
#: processes for it, which takes longer than to answer it (measured: 90 ms for a page of 50 among 100,000 scenes).
_SETTINGS = {"timezone": "UTC", "jit": "off", "max_parallel_workers_per_gather": 0}


@lru_cache(maxsize=8)
def engine_for(url: str) -> Any:
    """The pooled engine of one scene store.

    :param url: PostgreSQL URL; ``future=True`` gives SQLAlchemy 1.4 the behaviour of 2.0
    """
    options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    engine = sa.create_engine(
        url, future=True, pool_pre_ping=True, pool_size=5, max_overflow=10,
        connect_args={"options": options, "connect_timeout": 10},
    )  # fmt: skip
    # A connection shared by two processes corrupts both: each child of a forking server opens its own.
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    return engine


def engine() -> Any:
    """The engine of the scene store that the configuration names."""
    from ckanext.dinamis_relais import config

    return engine_for(config.scenes_url())


def _alembic_config(connection: Any) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(bind: Any, revision: str = "head") -> None:
    """Bring the scene store's tables up to date; safe to run at each start, and by two processes at once.

    :param bind: engine of the scene store
    :param revision: alembic revision
    :raises sqlalchemy.exc.DBAPIError: no right to create the PostGIS extension, or no such database
    """
    from alembic import command

    with bind.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('dinamis_scenes_upgrade'))"))
        command.upgrade(_alembic_config(connection), revision)


def current_revision(bind: Any) -> str | None:
    """The alembic revision of the scene store, None when it was never made."""
    from alembic.runtime.migration import MigrationContext

    with bind.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()
