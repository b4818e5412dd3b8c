"""The global view: counters, the head of what was pruned from the journal.

Revision ID: dinamis_012
Revises: dinamis_011
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_012"
down_revision = "dinamis_011"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_rollup",
        sa.Column("organization_id", TEXT, primary_key=True),
        sa.Column("grain", TEXT, primary_key=True),
        sa.Column("start", sa.Date, primary_key=True),
        sa.Column("measure", TEXT, primary_key=True),
        sa.Column("dimension", TEXT, primary_key=True),
        sa.Column("value", sa.Numeric, nullable=False),
    )
    op.create_index("dinamis_rollup_measure", "dinamis_rollup", ["measure", "grain", "start"])
    op.create_table(
        "dinamis_rollup_cursor",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line_id", sa.BigInteger, nullable=False),
        sa.Column("zone", TEXT, nullable=False),
        sa.Column("refreshed_at", TIME, nullable=False),
        sa.Column("revision", TEXT, nullable=False),
    )
    op.create_table(
        "dinamis_rollup_state",
        sa.Column("object_type", TEXT, primary_key=True),
        sa.Column("object_id", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False),
    )
    op.create_table(
        "dinamis_scene_area",
        sa.Column("collection", TEXT, primary_key=True),
        sa.Column("item_id", TEXT, primary_key=True),
        sa.Column("km2", sa.Float, nullable=False),
        sa.Column("year", sa.Integer),
    )
    op.create_table(
        "dinamis_journal_checkpoint",
        sa.Column("line_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("pruned_at", TIME, nullable=False),
    )
    op.create_index("dinamis_download_signed", "dinamis_download", ["organization_id", "signed_at"])
    # Lines are written in the order of time: a block-range index finds a period for next to nothing.
    op.execute("CREATE INDEX dinamis_journal_at ON dinamis_journal USING brin (at) WITH (pages_per_range = 32)")


def downgrade():
    op.execute("DROP INDEX dinamis_journal_at")
    op.drop_index("dinamis_download_signed", "dinamis_download")
    for table in (
        "dinamis_journal_checkpoint", "dinamis_scene_area", "dinamis_rollup_state",
        "dinamis_rollup_cursor", "dinamis_rollup",
    ):  # fmt: skip
        op.drop_table(table)
