"""Downloads are found by their call only while it is under way: the index holds no others.

Revision ID: dinamis_018
Revises: dinamis_017
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_018"
down_revision = "dinamis_017"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_index("ix_dinamis_download_call_id", "dinamis_download")
    op.create_index(
        "dinamis_download_under_way", "dinamis_download", ["call_id"], postgresql_where=sa.text("signed_at IS NULL")
    )


def downgrade():
    op.drop_index("dinamis_download_under_way", "dinamis_download")
    op.create_index("ix_dinamis_download_call_id", "dinamis_download", ["call_id"])
