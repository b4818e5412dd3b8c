"""The day on which the executive board gave its answer, which may be earlier than the day it was recorded here.

Empty for decisions recorded before: of a written answer, that day was not asked for.

Revision ID: dinamis_024
Revises: dinamis_023
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_024"
down_revision = "dinamis_023"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("dinamis_application", sa.Column("decided_on", sa.Date))


def downgrade():
    op.drop_column("dinamis_application", "decided_on")
