"""Members by département are read without the other states' counters.

Revision ID: dinamis_016
Revises: dinamis_015
"""

from alembic import op

revision = "dinamis_016"
down_revision = "dinamis_015"
branch_labels = None
depends_on = None


def upgrade():
    op.execute(
        "CREATE INDEX dinamis_rollup_members ON dinamis_rollup (organization_id, start) INCLUDE (value) "
        "WHERE measure = 'state' AND dimension = 'membership:active' AND grain = 'm'"
    )


def downgrade():
    op.execute("DROP INDEX dinamis_rollup_members")
