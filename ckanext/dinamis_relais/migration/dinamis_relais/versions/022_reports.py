"""Reports are kept: their figures as they were told, and the two files that were made of them.

Revision ID: dinamis_022
Revises: dinamis_021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_022"
down_revision = "dinamis_021"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_report",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("organization_id", TEXT, index=True),
        sa.Column("start", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
        sa.Column("batch_id", TEXT),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False, index=True),
        sa.Column("made_at", TIME),
        sa.Column("data", JSONB),
        sa.Column("pdf", sa.LargeBinary),
        sa.Column("xlsx", sa.LargeBinary),
    )


def downgrade():
    op.drop_table("dinamis_report")
