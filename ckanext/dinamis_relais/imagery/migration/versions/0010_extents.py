"""What each collection holds and where, noted at the end of a listing: no answer measures a million footprints.

Revision ID: 0010_extents
Revises: 0009_tally
"""

from alembic import op

revision = "0010_extents"
down_revision = "0009_tally"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE scene_grid (
    collection text NOT NULL,
    x integer NOT NULL,
    y integer NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (collection, x, y)
);
ALTER TABLE collection ADD COLUMN held json;
UPDATE collection SET held = measured.held FROM (
    SELECT collection, json_build_object('start', min(datetime), 'end', max(end_datetime), 'bbox',
        json_build_array(min(ST_XMin(geom)), min(ST_YMin(geom)), max(ST_XMax(geom)), max(ST_YMax(geom)))) AS held
    FROM scene GROUP BY collection
) AS measured WHERE measured.collection = collection.id;
"""


def upgrade() -> None:
    """Measure what is there: seconds for a million scenes. The grid waits for the next listing that changes one."""
    op.execute(CHANGES)


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE collection DROP COLUMN held; DROP TABLE scene_grid;")
