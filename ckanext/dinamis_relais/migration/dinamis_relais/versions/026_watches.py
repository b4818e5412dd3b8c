"""Who is told by mail of new images over a territory.

Revision ID: dinamis_026
Revises: dinamis_025
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_026"
down_revision = "dinamis_025"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_watch",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("geometry", JSONB, nullable=False),
        sa.Column("cursor", TEXT, nullable=False),
        sa.Column("looked_on", sa.Date, nullable=False, index=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("user_id", "kind", "code", name="uq_dinamis_watch_place"),
    )


def downgrade():
    op.drop_table("dinamis_watch")
