"""Requests for new imagery and the steps of each.

Revision ID: dinamis_008
Revises: dinamis_007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "dinamis_008"
down_revision = "dinamis_007"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_request",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False, index=True),
        sa.Column("state_since", TIME, nullable=False),
        sa.Column("user_id", TEXT, index=True),
        sa.Column("organization_id", TEXT, nullable=False, index=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("area", JSONB),
        sa.Column("area_km2", sa.Float, nullable=False),
        sa.Column("area_source", TEXT, nullable=False),
        sa.Column("area_notes", JSONB, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.Column("cloud", sa.Integer),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("resolution", sa.Float, nullable=False),
        sa.Column("archive", JSONB, nullable=False),
        sa.Column("by_archive", sa.Boolean, nullable=False),
        sa.Column("answer", TEXT),
        sa.Column("answer_scenes", JSONB, nullable=False),
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
        "dinamis_request_due",
        "dinamis_request",
        ["next_attempt_at"],
        postgresql_where=sa.text("version > delivered_version"),
    )
    op.create_table(
        "dinamis_request_step",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("request_id", TEXT, sa.ForeignKey("dinamis_request.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("actor_id", TEXT),
        sa.Column("reason_code", TEXT),
        sa.Column("reason", TEXT),
    )


def downgrade():
    op.drop_table("dinamis_request_step")
    op.drop_table("dinamis_request")
