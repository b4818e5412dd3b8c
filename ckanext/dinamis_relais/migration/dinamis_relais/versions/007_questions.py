"""Questions, their threads and their files.

Revision ID: dinamis_007
Revises: dinamis_006
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_007"
down_revision = "dinamis_006"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_question",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False, index=True),
        sa.Column("state_since", TIME, nullable=False),
        sa.Column("user_id", TEXT, index=True),
        sa.Column("organization_id", TEXT, index=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("about_kind", TEXT),
        sa.Column("about_id", TEXT),
        sa.Column("about_title", TEXT),
        sa.Column("about_path", TEXT),
        sa.Column("escalated_at", TIME),
        sa.Column("reference", TEXT),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("erased_at", TIME),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("delivered_version", sa.Integer, nullable=False),
        sa.Column("delivered_at", TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("next_poll_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("failed_at", TIME),
        sa.Column("last_error", TEXT),
    )
    op.create_index(
        "dinamis_question_due",
        "dinamis_question",
        ["next_attempt_at"],
        postgresql_where=sa.text("version > delivered_version"),
    )
    op.create_table(
        "dinamis_question_message",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("question_id", TEXT, sa.ForeignKey("dinamis_question.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("author_id", TEXT),
        sa.Column("outside_id", TEXT),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("question_id", "outside_id", name="uq_dinamis_question_message_outside"),
    )
    op.create_table(
        "dinamis_question_file",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("question_id", TEXT, sa.ForeignKey("dinamis_question.id"), nullable=False, index=True),
        sa.Column("message_id", TEXT, sa.ForeignKey("dinamis_question_message.id"), nullable=False, index=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )


def downgrade():
    op.drop_table("dinamis_question_file")
    op.drop_table("dinamis_question_message")
    op.drop_table("dinamis_question")
