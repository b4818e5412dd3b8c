"""Conventions, terms, reminders, notes on files, and the operator's wording of mails.

Revision ID: dinamis_011
Revises: dinamis_010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_011"
down_revision = "dinamis_010"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_convention",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("organization_id", TEXT, nullable=False, unique=True),
        sa.Column("number", TEXT, nullable=False, unique=True),
        sa.Column("signed_on", sa.Date),
        sa.Column("siren", TEXT, nullable=False, index=True),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("territory_kind", TEXT, nullable=False),
        sa.Column("territory_code", TEXT, nullable=False),
        sa.Column("territory_name", TEXT, nullable=False),
        sa.Column("office", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("representative", JSONB, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_reminder",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("occasion", TEXT, nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.UniqueConstraint("kind", "object_id", "occasion", name="uq_dinamis_reminder_once"),
    )
    op.create_table(
        "dinamis_application_note",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("application_id", TEXT, nullable=False, index=True),
        sa.Column("author_id", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_mail_wording",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("language", TEXT, primary_key=True),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
    )
    op.add_column("dinamis_application", sa.Column("answer_by", sa.Date))
    op.add_column("dinamis_application", sa.Column("accepted_texts", JSONB))
    op.add_column("dinamis_membership", sa.Column("term_ends_on", sa.Date, index=True))
    op.add_column("dinamis_membership", sa.Column("accepted_texts", JSONB))


def downgrade():
    op.drop_column("dinamis_membership", "accepted_texts")
    op.drop_column("dinamis_membership", "term_ends_on")
    op.drop_column("dinamis_application", "accepted_texts")
    op.drop_column("dinamis_application", "answer_by")
    op.drop_table("dinamis_mail_wording")
    op.drop_table("dinamis_application_note")
    op.drop_table("dinamis_reminder")
    op.drop_table("dinamis_convention")
