"""Long work on many things: batches and their rows.

Revision ID: dinamis_005
Revises: dinamis_004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_005"
down_revision = "dinamis_004"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_batch",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False, index=True),
        sa.Column("params", JSONB, nullable=False),
        sa.Column("locale", TEXT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("lease_until", TIME),
    )
    op.create_table(
        "dinamis_batch_row",
        sa.Column("batch_id", TEXT, sa.ForeignKey("dinamis_batch.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("payload", JSONB),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("object_id", TEXT),
        sa.Column("done_at", TIME),
    )


def downgrade():
    op.drop_table("dinamis_batch_row")
    op.drop_table("dinamis_batch")
