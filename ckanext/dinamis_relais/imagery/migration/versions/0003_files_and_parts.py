"""Files as sources, listings in parts, pictures of series; items are compressed by LZ4.

Revision ID: 0003_files_and_parts
Revises: 0001_scene_store
"""

from alembic import op

revision = "0003_files_and_parts"
down_revision = "0001_scene_store"
branch_labels = None
depends_on = None

#: ``harvest_seen`` holds what an unfinished listing has read: without it, the next listing starts anew.
CHANGES = """
DELETE FROM harvest_seen;
UPDATE harvest_run SET state = 'abandoned' WHERE state IN ('running', 'interrupted');
ALTER TABLE harvest_run ADD COLUMN part text NOT NULL DEFAULT '';
CREATE INDEX harvest_run_job ON harvest_run (job_id);
ALTER TABLE harvest_seen ADD COLUMN collection text NOT NULL;
DROP INDEX harvest_seen_run;
CREATE INDEX harvest_seen_run ON harvest_seen (run_id, collection, id);
CREATE INDEX scene_hash ON scene (hash);
CREATE TABLE series_picture (
    collection text NOT NULL,
    year integer NOT NULL,
    mark text NOT NULL,
    png bytea NOT NULL,
    updated timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (collection, year)
);
"""

#: Items are a few kB of JSON: LZ4 takes a third of the time of PostgreSQL's own compression. Builds without it stay.
COMPRESSION = """
DO $$ BEGIN
    ALTER TABLE scene ALTER COLUMN item SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR syntax_error THEN NULL;
END $$;
"""


def upgrade() -> None:
    """Change the tables; scenes stay as they are."""
    op.execute(CHANGES)
    op.execute(COMPRESSION)


def downgrade() -> None:
    """As before; pictures are drawn again by the next harvest."""
    op.execute(
        """
        DROP TABLE series_picture;
        DROP INDEX scene_hash;
        DELETE FROM harvest_seen;
        DROP INDEX harvest_seen_run;
        ALTER TABLE harvest_seen DROP COLUMN collection;
        CREATE INDEX harvest_seen_run ON harvest_seen (run_id, id);
        DROP INDEX harvest_run_job;
        ALTER TABLE harvest_run DROP COLUMN part;
        ALTER TABLE scene ALTER COLUMN item SET COMPRESSION default;
        """
    )
