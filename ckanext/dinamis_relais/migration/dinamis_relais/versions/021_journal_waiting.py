"""Lines of the journal wait for their place in the chain, so that their writers need not wait for one another.

And the first page reads less: what each partner downloaded in a month is one row, what failed is found by an index.

Revision ID: dinamis_021
Revises: dinamis_020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_021"
down_revision = "dinamis_020"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
DELIVERED = ("dinamis_application", "dinamis_membership", "dinamis_account", "dinamis_question", "dinamis_request",
             "dinamis_mail")  # fmt: skip


def upgrade():
    op.create_table(
        "dinamis_journal_waiting",
        sa.Column("serial", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("object_type", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("organization_id", TEXT),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("private_salt", TEXT),
        sa.Column("private_data", JSONB),
    )
    # The database refuses to change what waits, as it does of the journal; a typed text may only go.
    op.execute(
        "CREATE OR REPLACE FUNCTION dinamis_journal_waiting_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'dinamis_journal_waiting is append-only, but for erasure'; END $$"
    )
    op.execute(
        "CREATE TRIGGER dinamis_journal_waiting_append_only BEFORE UPDATE ON dinamis_journal_waiting FOR EACH ROW "
        "WHEN (NEW.private_salt IS NOT NULL OR NEW.private_data IS NOT NULL OR "
        "ROW(OLD.serial, OLD.at, OLD.actor, OLD.event, OLD.object_type, OLD.object_id, OLD.organization_id, OLD.data) "
        "IS DISTINCT FROM ROW(NEW.serial, NEW.at, NEW.actor, NEW.event, NEW.object_type, NEW.object_id, "
        "NEW.organization_id, NEW.data)) "
        "EXECUTE FUNCTION dinamis_journal_waiting_append_only()"
    )
    op.create_table(
        "dinamis_rollup_downloads",
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("organization_id", TEXT, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("files", "scenes", "bytes")),
        sa.Column("km2", sa.Numeric, nullable=False),
    )
    op.execute(
        "INSERT INTO dinamis_rollup_downloads (month, organization_id, files, scenes, bytes, km2) "
        "SELECT start, organization_id, coalesce(sum(value) FILTER (WHERE measure = 'download.files'), 0), "
        "coalesce(sum(value) FILTER (WHERE measure = 'download.scenes'), 0), "
        "coalesce(sum(value) FILTER (WHERE measure = 'download.bytes'), 0), "
        "coalesce(sum(value) FILTER (WHERE measure = 'download.km2'), 0) FROM dinamis_rollup "
        "WHERE grain = 'm' AND measure LIKE 'download.%' AND organization_id <> '*' GROUP BY 1, 2"
    )
    for table in DELIVERED:
        op.create_index(f"{table}_failed", table, ["failed_at"], postgresql_where=sa.text("failed_at IS NOT NULL"))


def downgrade():
    for table in DELIVERED:
        op.drop_index(f"{table}_failed", table)
    op.drop_table("dinamis_rollup_downloads")
    # What still waits would be lost: `ckan dinamis journal head` gives it its place first.
    op.drop_table("dinamis_journal_waiting")
    op.execute("DROP FUNCTION IF EXISTS dinamis_journal_waiting_append_only()")
