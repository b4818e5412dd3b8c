"""A first listing need not note each scene that it lists, and an unchanged page is noted in one row.

The scenes of a source are those of its collections: they need no index of their own.

Revision ID: 0011_less_noted
Revises: 0010_extents
"""

from alembic import op

revision = "0011_less_noted"
down_revision = "0010_extents"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE harvest_run ADD COLUMN fresh boolean NOT NULL DEFAULT false;
CREATE TABLE harvest_untouched (run_id bigint NOT NULL, hashes uuid[] NOT NULL);
CREATE INDEX harvest_untouched_run ON harvest_untouched (run_id);
DROP INDEX scene_source;
"""


def upgrade() -> None:
    """Listings that are under way go on as they began."""
    op.execute(CHANGES)


def downgrade() -> None:
    """As before; an unfinished listing begins anew, since what it noted here is lost."""
    op.execute(
        "UPDATE harvest_run SET state = 'abandoned' WHERE state IN ('running', 'interrupted');"
        "DROP TABLE harvest_untouched; ALTER TABLE harvest_run DROP COLUMN fresh;"
        "CREATE INDEX scene_source ON scene (source_id, collection);"
    )
