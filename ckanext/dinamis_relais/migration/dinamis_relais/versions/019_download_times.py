"""Downloads are counted and listed by when they were signed: fewer indexes to keep while thousands are written.

Revision ID: dinamis_019
Revises: dinamis_018
"""

from alembic import op

revision = "dinamis_019"
down_revision = "dinamis_018"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_index("ix_dinamis_download_organization_id", "dinamis_download")
    op.drop_index("ix_dinamis_download_user_id", "dinamis_download")
    op.create_index("dinamis_download_of_user", "dinamis_download", ["user_id", "signed_at"])


def downgrade():
    op.drop_index("dinamis_download_of_user", "dinamis_download")
    op.create_index("ix_dinamis_download_user_id", "dinamis_download", ["user_id", "created_at"])
    op.create_index("ix_dinamis_download_organization_id", "dinamis_download", ["organization_id", "created_at"])
