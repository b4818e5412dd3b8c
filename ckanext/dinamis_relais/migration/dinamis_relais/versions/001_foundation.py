"""Roles, journal, mail, applications, memberships, documents, signature links.

Revision ID: dinamis_001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def text(name, **kwargs):
    return sa.Column(name, TEXT, **kwargs)


def moment(name, **kwargs):
    return sa.Column(name, TIME, **kwargs)


def deliverable():
    return [
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("delivered_version", sa.Integer, nullable=False, server_default="0"),
        moment("delivered_at"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        moment("next_attempt_at"),
        moment("next_poll_at"),
        moment("lease_until"),
        moment("failed_at"),
        text("last_error"),
    ]


def index_due(table):
    op.create_index(f"{table}_due", table, ["next_attempt_at"], postgresql_where=sa.text("version > delivered_version"))


def upgrade():
    op.create_table(
        "dinamis_role_grant",
        text("id", primary_key=True),
        text("user_id", nullable=False, index=True),
        text("role", nullable=False),
        text("organization_id", index=True),
        text("granted_by", nullable=False),
        moment("granted_at", nullable=False),
        moment("expires_at"),
        moment("revoked_at"),
        text("revoked_by"),
    )
    op.execute(
        "CREATE UNIQUE INDEX dinamis_role_grant_once ON dinamis_role_grant "
        "(user_id, role, coalesce(organization_id, '')) WHERE revoked_at IS NULL"
    )
    op.create_table(
        "dinamis_journal",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        moment("at", nullable=False),
        text("actor", nullable=False, index=True),
        text("event", nullable=False, index=True),
        text("object_type", nullable=False),
        text("object_id", nullable=False, index=True),
        text("organization_id", index=True),
        sa.Column("data", JSONB, nullable=False),
        text("previous_hash", nullable=False),
        text("hash", nullable=False),
    )
    # The database itself refuses to change history; CKAN's tests empty tables with DELETE, hence UPDATE only.
    op.execute(
        "CREATE OR REPLACE FUNCTION dinamis_journal_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'dinamis_journal is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER dinamis_journal_append_only BEFORE UPDATE ON dinamis_journal "
        "FOR EACH ROW EXECUTE FUNCTION dinamis_journal_append_only()"
    )
    op.create_table(
        "dinamis_mail",
        text("id", primary_key=True),
        text("name", nullable=False),
        text("recipient", nullable=False, index=True),
        text("recipient_name", nullable=False),
        text("reply_to"),
        text("subject", nullable=False),
        text("body", nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        text("object_type", nullable=False),
        text("object_id", nullable=False, index=True),
        text("organization_id", index=True),
        moment("created_at", nullable=False),
        *deliverable(),
    )
    op.create_table(
        "dinamis_delivery_target",
        text("name", primary_key=True),
        moment("stopped_at"),
        text("reason"),
        sa.Column("details", JSONB),
    )
    membership_tables()
    for table in ("dinamis_mail", "dinamis_application", "dinamis_membership"):
        index_due(table)


def membership_tables():
    blank = {"nullable": False, "server_default": ""}
    op.create_table(
        "dinamis_application",
        text("id", primary_key=True),
        text("kind", nullable=False),
        text("state", nullable=False, index=True),
        text("returns_to"),
        text("organization_id", nullable=False, index=True),
        *(
            text(name, **blank)
            for name in (
                "siren", "siret", "legal_category", "category", "justification",
                "territory_kind", "territory_code", "territory_name", "address",
            )
        ),
        moment("entity_checked_at"),
        sa.Column("representative", JSONB, nullable=False),
        sa.Column("referent", JSONB, nullable=False),
        text("agreement_number", unique=True),
        sa.Column("eligibility", JSONB, nullable=False),
        text("reason"),
        moment("decided_at"),
        text("decided_by"),
        text("decision_reference"),
        text("claimed_by"),
        moment("due_at"),
        moment("created_at", nullable=False),
        text("created_by", nullable=False),
        moment("state_since", nullable=False),
        moment("signed_at"),
        moment("submitted_at"),
        *deliverable(),
    )  # fmt: skip
    op.create_table(
        "dinamis_membership",
        text("id", primary_key=True),
        text("organization_id", nullable=False, unique=True),
        text("application_id", nullable=False),
        text("state", nullable=False, index=True),
        text("agreement_number"),
        moment("since", nullable=False),
        moment("until"),
        text("reason"),
        moment("state_since", nullable=False),
        *deliverable(),
    )
    op.create_table(
        "dinamis_document",
        text("id", primary_key=True),
        text("application_id", nullable=False, index=True),
        text("organization_id", nullable=False, index=True),
        text("kind", nullable=False),
        text("title", nullable=False),
        text("version", **blank),
        text("media_type", nullable=False),
        text("sha256", nullable=False, index=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.Boolean, nullable=False),
        moment("created_at", nullable=False),
        text("created_by", nullable=False),
    )
    op.create_table(
        "dinamis_signature_link",
        text("id", primary_key=True),
        text("application_id", nullable=False, index=True),
        text("token_hash", nullable=False, unique=True),
        text("email", nullable=False),
        moment("created_at", nullable=False),
        moment("expires_at", nullable=False),
        moment("used_at"),
        moment("revoked_at"),
        sa.Column("evidence", JSONB),
    )
    op.create_table(
        "dinamis_agreement_counter",
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer, nullable=False),
    )


def downgrade():
    for table in (
        "dinamis_agreement_counter", "dinamis_signature_link", "dinamis_document", "dinamis_membership",
        "dinamis_application", "dinamis_delivery_target", "dinamis_mail", "dinamis_journal", "dinamis_role_grant",
    ):  # fmt: skip
        op.drop_table(table)
    op.execute("DROP FUNCTION IF EXISTS dinamis_journal_append_only()")
