"""Accounts.

Revision ID: dinamis_002
Revises: dinamis_001
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_002"
down_revision = "dinamis_001"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_account",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False, index=True),
        sa.Column("state_since", TIME, nullable=False),
        sa.Column("organization_id", TEXT, nullable=False, index=True),
        sa.Column("membership_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, index=True),
        sa.Column("email", TEXT, nullable=False, index=True),
        sa.Column("given_name", TEXT, nullable=False),
        sa.Column("family_name", TEXT, nullable=False),
        sa.Column("function", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("ends_on", sa.Date),
        sa.Column("reason", TEXT),
        sa.Column("suspended_with_membership", sa.Boolean, nullable=False),
        sa.Column("reference", TEXT),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("validated_at", TIME),
        sa.Column("validated_by", TEXT),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("delivered_version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("delivered_at", TIME),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_attempt_at", TIME),
        sa.Column("next_poll_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("failed_at", TIME),
        sa.Column("last_error", TEXT),
    )
    op.create_index(
        "dinamis_account_due",
        "dinamis_account",
        ["next_attempt_at"],
        postgresql_where=sa.text("version > delivered_version"),
    )
    # One live account a person and an organisation, whatever two moderators do at once.
    op.execute(
        "CREATE UNIQUE INDEX dinamis_account_live ON dinamis_account (organization_id, email) "
        "WHERE state IN ('requested', 'validated', 'active', 'suspended')"
    )


def downgrade():
    op.drop_table("dinamis_account")
