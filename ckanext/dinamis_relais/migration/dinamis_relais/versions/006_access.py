"""Linked DINAMIS logins, accepted licences, downloads, baskets.

Revision ID: dinamis_006
Revises: dinamis_005
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_006"
down_revision = "dinamis_005"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_identity_link",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("username", TEXT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("linked_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("refused_at", TIME),
        sa.Column("lease_until", TIME),
    )
    op.create_table(
        "dinamis_device_code",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("user_code", TEXT, nullable=False),
        sa.Column("page", TEXT, nullable=False),
        sa.Column("interval", sa.Integer, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_licence_acceptance",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("licence", TEXT, primary_key=True),
        sa.Column("version", TEXT, primary_key=True),
        sa.Column("accepted_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_download",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("call_id", TEXT, nullable=False, index=True),
        sa.Column("user_id", TEXT),
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("collection", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("asset_key", TEXT, nullable=False),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("signed_at", TIME),
    )
    op.create_index("ix_dinamis_download_user_id", "dinamis_download", ["user_id", "created_at"])
    op.create_index("ix_dinamis_download_organization_id", "dinamis_download", ["organization_id", "created_at"])
    op.create_table(
        "dinamis_basket_scene",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("collection", TEXT, primary_key=True),
        sa.Column("item_id", TEXT, primary_key=True),
        sa.Column("added_at", TIME, nullable=False),
    )


def downgrade():
    for table in ("basket_scene", "download", "licence_acceptance", "device_code", "identity_link"):
        op.drop_table(f"dinamis_{table}")
