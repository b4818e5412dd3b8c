"""Guides with their versions, pictures of use cases, news, events and registrations.

Revision ID: dinamis_009
Revises: dinamis_008
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_009"
down_revision = "dinamis_008"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "dinamis_guide",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("name", TEXT, nullable=False, unique=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("theme", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_guide_version",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("guide_id", TEXT, sa.ForeignKey("dinamis_guide.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("title_en", TEXT, nullable=False),
        sa.Column("summary_en", TEXT, nullable=False),
        sa.Column("author_id", TEXT),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("guide_id", "number", name="uq_dinamis_guide_version"),
    )
    op.create_table(
        "dinamis_picture",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("dataset_id", TEXT, nullable=False, index=True),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_news",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False, index=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("starts_at", TIME, index=True),
        sa.Column("ends_at", TIME),
        sa.Column("capacity", sa.Integer),
        sa.Column("registration_until", TIME),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_table(
        "dinamis_registration",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("news_id", TEXT, sa.ForeignKey("dinamis_news.id"), nullable=False, index=True),
        sa.Column("user_id", TEXT, index=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_index(
        "uq_dinamis_registration_running",
        "dinamis_registration",
        ["news_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'cancelled'"),
    )


def downgrade():
    op.drop_table("dinamis_registration")
    op.drop_table("dinamis_news")
    op.drop_table("dinamis_picture")
    op.drop_table("dinamis_guide_version")
    op.drop_table("dinamis_guide")
