"""The scene store: collections, scenes, runs, what a run has seen, problems.

Revision ID: 0001_scene_store
Revises:
"""

from alembic import op

revision = "0001_scene_store"
down_revision = None
branch_labels = ("dinamis_scenes",)
depends_on = None

#: Written out, not read from model.py: a migration must still say tomorrow what it did today.
TABLES = """
CREATE TABLE collection (
    id text PRIMARY KEY,
    source_id text NOT NULL,
    source_url text NOT NULL,
    body json NOT NULL,
    asset_roles json NOT NULL DEFAULT '{}',
    updated timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE scene (
    collection text NOT NULL,
    id text NOT NULL,
    datetime timestamptz NOT NULL,
    end_datetime timestamptz NOT NULL,
    cloud double precision,
    platform text,
    gsd double precision,
    source_id text NOT NULL,
    hash uuid NOT NULL,
    updated timestamptz NOT NULL DEFAULT now(),
    geom geometry(Geometry, 4326) NOT NULL,
    item json NOT NULL,
    PRIMARY KEY (collection, id)
);
CREATE INDEX scene_geom ON scene USING gist (geom);
CREATE INDEX scene_keyset ON scene (datetime DESC, collection, id);
CREATE INDEX scene_collection_keyset ON scene (collection, datetime DESC, id);
CREATE INDEX scene_cloud ON scene (cloud);
CREATE INDEX scene_platform ON scene (platform);
CREATE INDEX scene_source ON scene (source_id, collection);
CREATE TABLE harvest_run (
    id bigserial PRIMARY KEY,
    source_id text NOT NULL,
    collection text NOT NULL,
    job_id text,
    fingerprint text NOT NULL,
    state text NOT NULL DEFAULT 'running',
    cursor jsonb,
    started timestamptz NOT NULL DEFAULT now(),
    updated timestamptz NOT NULL DEFAULT now(),
    finished timestamptz,
    matched bigint,
    pages bigint NOT NULL DEFAULT 0,
    listed bigint NOT NULL DEFAULT 0,
    created bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    problems bigint NOT NULL DEFAULT 0,
    vanished bigint NOT NULL DEFAULT 0,
    kept bigint NOT NULL DEFAULT 0,
    message text
);
CREATE INDEX harvest_run_source ON harvest_run (source_id, collection, id);
CREATE TABLE harvest_seen (run_id bigint NOT NULL, id text NOT NULL);
CREATE INDEX harvest_seen_run ON harvest_seen (run_id, id);
CREATE TABLE harvest_problem (
    id bigserial PRIMARY KEY,
    run_id bigint NOT NULL,
    item_id text,
    field text NOT NULL,
    problem text NOT NULL,
    remedy text NOT NULL,
    fatal boolean NOT NULL
);
CREATE INDEX harvest_problem_run ON harvest_problem (run_id);
"""


def upgrade() -> None:
    """Make the tables; needs the right to create the PostGIS extension."""
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute(TABLES)


def downgrade() -> None:
    """Drop the tables; the extension stays."""
    for name in ("harvest_problem", "harvest_seen", "harvest_run", "scene", "collection"):
        op.execute(f"DROP TABLE {name}")
