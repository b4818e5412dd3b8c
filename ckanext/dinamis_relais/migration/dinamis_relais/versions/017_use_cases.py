"""Where use cases stand; their pictures have had a table since revision 009.

Revision ID: dinamis_017
Revises: dinamis_016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_017"
down_revision = "dinamis_016"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_use_case",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("organization_id", TEXT, nullable=False, index=True),
        sa.Column("author_id", TEXT, index=True),
        sa.Column("state", TEXT, nullable=False, index=True),
        sa.Column("state_since", TIME, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("themes", JSONB, nullable=False),
        sa.Column("series", JSONB, nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )


def downgrade():
    op.drop_table("dinamis_use_case")
