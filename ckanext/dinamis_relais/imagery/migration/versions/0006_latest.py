"""The feed of new scenes finds the last ones without sorting the whole store.

Revision ID: 0006_latest
Revises: 0005_csw_record
"""

from alembic import op

revision = "0006_latest"
down_revision = "0005_csw_record"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an index in the feed's order (`alerts/latest.py`), so that a page of it sorts only scenes of one moment.

    The feed of a territory goes by the index of outlines, as before.
    """
    op.execute("CREATE INDEX scene_latest ON scene (updated DESC, datetime DESC)")


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX scene_latest")
