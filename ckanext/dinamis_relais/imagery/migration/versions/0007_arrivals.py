"""Which transaction brought each scene: what came since a moment is told exactly, a changed scene is no new one.

Revision ID: 0007_arrivals
Revises: 0006_latest
"""

from alembic import op

revision = "0007_arrivals"
down_revision = "0006_latest"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; scenes that are there came before everything (0), and their rows are not rewritten."""
    op.execute("ALTER TABLE scene ADD COLUMN arrived bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE scene ALTER COLUMN arrived SET DEFAULT txid_current()")
    # Scenes lie in the order in which they came: the smallest index tells where to look, and costs a load nothing.
    op.execute("CREATE INDEX scene_arrived ON scene USING brin (arrived)")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE scene DROP COLUMN arrived")
