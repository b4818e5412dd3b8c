"""Grouped mails to DINAMIS: what left together, of each thing whether DINAMIS confirmed it, and its written answers.

Revision ID: dinamis_025
Revises: dinamis_024
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_025"
down_revision = "dinamis_024"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_sending",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False, index=True),
        sa.Column("dossier_id", TEXT, nullable=False),
        sa.Column("recipient", TEXT),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False, index=True),
        sa.Column("wiped_at", TIME),
    )
    op.create_table(
        "dinamis_sending_row",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("sending_id", TEXT, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("answer_id", TEXT),
        sa.Column("decided_at", TIME),
        sa.Column("decided_by", TEXT),
        sa.UniqueConstraint("sending_id", "object_id", name="uq_dinamis_sending_row"),
        sa.UniqueConstraint("kind", "object_id", "version", name="uq_dinamis_sending_version"),
    )
    op.create_index("ix_dinamis_sending_row_waiting", "dinamis_sending_row", ["kind"],
                    postgresql_where=sa.text("outcome = 'waiting'"))  # fmt: skip
    op.create_table(
        "dinamis_sending_answer",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("sending_id", TEXT, nullable=False, index=True),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("media_type", TEXT),
        sa.Column("sha256", TEXT),
        sa.Column("size", sa.Integer),
        sa.Column("content", sa.LargeBinary),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    # A grouped mail is about no one organisation; once a person in it is erased, its bytes go and its hash stays.
    op.alter_column("dinamis_dossier", "organization_id", nullable=True)
    op.alter_column("dinamis_dossier", "content", nullable=True)


def downgrade():
    op.execute("DELETE FROM dinamis_dossier WHERE organization_id IS NULL OR content IS NULL")
    op.alter_column("dinamis_dossier", "content", nullable=False)
    op.alter_column("dinamis_dossier", "organization_id", nullable=False)
    op.drop_table("dinamis_sending_answer")
    op.drop_table("dinamis_sending_row")
    op.drop_table("dinamis_sending")
