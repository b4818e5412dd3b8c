"""Typed texts beside the journal, so that they can be erased while its chain stays whole.

Revision ID: dinamis_003
Revises: dinamis_002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_003"
down_revision = "dinamis_002"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText


def upgrade():
    op.create_table(
        "dinamis_journal_private",
        sa.Column("line_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("salt", TEXT, nullable=False),
        sa.Column("data", JSONB, nullable=False),
    )
    # A text may go, since a person may ask for it; it may not become another one.
    op.execute(
        "CREATE OR REPLACE FUNCTION dinamis_journal_private_erase_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'dinamis_journal_private is append-only, but for erasure'; END $$"
    )
    op.execute(
        "CREATE TRIGGER dinamis_journal_private_erase_only BEFORE UPDATE ON dinamis_journal_private "
        "FOR EACH ROW EXECUTE FUNCTION dinamis_journal_private_erase_only()"
    )


def downgrade():
    op.drop_table("dinamis_journal_private")
    op.execute("DROP FUNCTION IF EXISTS dinamis_journal_private_erase_only()")
