"""A partner's page reads its newest lines without sorting all that ever happened with it.

Revision ID: dinamis_028
Revises: dinamis_027
"""

from alembic import op

revision = "dinamis_028"
down_revision = "dinamis_027"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("dinamis_journal_organization", "dinamis_journal", ["organization_id", "id"])
    op.drop_index("ix_dinamis_journal_organization_id", table_name="dinamis_journal")


def downgrade():
    op.create_index("ix_dinamis_journal_organization_id", "dinamis_journal", ["organization_id"])
    op.drop_index("dinamis_journal_organization", table_name="dinamis_journal")
