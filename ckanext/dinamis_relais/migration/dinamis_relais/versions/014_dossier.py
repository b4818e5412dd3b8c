"""Dossiers kept as they left for DINAMIS, who decided as the deed prints it, time-stamps of papers.

Revision ID: dinamis_014
Revises: dinamis_012
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_014"
down_revision = "dinamis_012"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_dossier",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("organization_id", TEXT, nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("target", "object_id", "version", name="uq_dinamis_dossier_version"),
    )
    op.add_column("dinamis_mail", sa.Column("dossier_id", TEXT))
    op.add_column("dinamis_application", sa.Column("decided_name", TEXT))
    op.add_column("dinamis_document", sa.Column("timestamped", sa.Boolean, nullable=False, server_default=sa.false()))
    # The mail that carries a link holds it, encrypted, until it left.
    op.drop_column("dinamis_board_link", "secrets")


def downgrade():
    op.add_column("dinamis_board_link", sa.Column("secrets", sa.LargeBinary))
    op.drop_column("dinamis_document", "timestamped")
    op.drop_column("dinamis_application", "decided_name")
    op.drop_column("dinamis_mail", "dossier_id")
    op.drop_table("dinamis_dossier")
