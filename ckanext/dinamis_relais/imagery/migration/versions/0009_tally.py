"""Numbers of scenes by collection, year, satellite and clouds, so that no page counts a million of them.

Revision ID: 0009_tally
Revises: 0008_lz4
"""

from alembic import op

revision = "0009_tally"
down_revision = "0008_lz4"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE scene_tally (
    collection text NOT NULL,
    year integer NOT NULL,
    platform text,
    cloud integer,
    count bigint NOT NULL
);
LOCK TABLE scene IN SHARE MODE;
INSERT INTO scene_tally (collection, year, platform, cloud, count)
SELECT collection, date_part('year', datetime AT TIME ZONE 'UTC')::integer, platform,
    CASE WHEN cloud <= 5 THEN 5 WHEN cloud <= 10 THEN 10 WHEN cloud <= 20 THEN 20 WHEN cloud <= 50 THEN 50
        WHEN cloud IS NOT NULL THEN 100 END,
    count(*)
FROM scene GROUP BY 1, 2, 3, 4;
DROP INDEX scene_platform;
"""


def upgrade() -> None:
    """Count what is there: a second for a million scenes. The index of satellites served one list, which this has."""
    op.execute(CHANGES)


def downgrade() -> None:
    """As before."""
    op.execute("CREATE INDEX scene_platform ON scene (platform); DROP TABLE scene_tally;")
