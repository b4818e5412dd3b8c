"""The signature's code and its delegation, conventions signed with the avenant, links of the executive board.

Revision ID: dinamis_010
Revises: dinamis_009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_010"
down_revision = "dinamis_009"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.add_column("dinamis_application", sa.Column("signatory", JSONB, nullable=False, server_default="{}"))
    op.add_column(
        "dinamis_application", sa.Column("with_agreement", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("dinamis_application", sa.Column("decision_via", TEXT))
    op.add_column("dinamis_signature_link", sa.Column("accepted", JSONB))
    op.add_column("dinamis_signature_link", sa.Column("code_hash", TEXT))
    op.add_column("dinamis_signature_link", sa.Column("code_sent_at", TIME))
    op.add_column("dinamis_signature_link", sa.Column("code_tries", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "dinamis_board_link",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("application_id", TEXT, nullable=False, index=True),
        sa.Column("application_version", sa.Integer, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False, unique=True),
        sa.Column("secrets", sa.LargeBinary),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
    )


def downgrade():
    op.drop_table("dinamis_board_link")
    for name in ("code_tries", "code_sent_at", "code_hash", "accepted"):
        op.drop_column("dinamis_signature_link", name)
    for name in ("decision_via", "with_agreement", "signatory"):
        op.drop_column("dinamis_application", name)
