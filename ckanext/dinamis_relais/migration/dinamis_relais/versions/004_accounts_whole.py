"""Accounts: who entered them, what the person accepted, one-time links, ended sessions.

Revision ID: dinamis_004
Revises: dinamis_003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_004"
down_revision = "dinamis_003"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)
ADDED = ("origin", "user_is_ours", "email_verified_at", "charter_version", "charter_accepted_at", "kept_at",
         "erasure_requested_at", "erased_at")  # fmt: skip


def upgrade():
    op.add_column("dinamis_account", sa.Column("origin", TEXT, nullable=False, server_default="pigma"))
    op.add_column("dinamis_account", sa.Column("user_is_ours", sa.Boolean, nullable=False, server_default="false"))
    op.add_column("dinamis_account", sa.Column("email_verified_at", TIME))
    op.add_column("dinamis_account", sa.Column("charter_version", TEXT))
    op.add_column("dinamis_account", sa.Column("charter_accepted_at", TIME))
    op.add_column("dinamis_account", sa.Column("kept_at", TIME))
    op.add_column("dinamis_account", sa.Column("erasure_requested_at", TIME))
    op.add_column("dinamis_account", sa.Column("erased_at", TIME))
    op.create_index("dinamis_account_queue", "dinamis_account", ["state", "state_since", "id"])
    op.create_table(
        "dinamis_account_link",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False, unique=True),
        sa.Column("email", TEXT, nullable=False, index=True),
        sa.Column("account_id", TEXT, index=True),
        sa.Column("fields", JSONB),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
    )
    op.create_table(
        "dinamis_session_end",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("at", TIME, nullable=False),
    )


def downgrade():
    op.drop_table("dinamis_session_end")
    op.drop_table("dinamis_account_link")
    op.drop_index("dinamis_account_queue", table_name="dinamis_account")
    for name in ADDED:
        op.drop_column("dinamis_account", name)
