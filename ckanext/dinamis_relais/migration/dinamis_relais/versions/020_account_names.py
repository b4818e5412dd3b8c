"""People who bear the same name in one organisation are found without reading all its accounts.

Revision ID: dinamis_020
Revises: dinamis_019
"""

from alembic import op

revision = "dinamis_020"
down_revision = "dinamis_019"
branch_labels = None
depends_on = None


def upgrade():
    op.execute(
        "CREATE INDEX dinamis_account_names ON dinamis_account "
        "(organization_id, lower(given_name || ' ' || family_name))"
    )


def downgrade():
    op.drop_index("dinamis_account_names", "dinamis_account")
