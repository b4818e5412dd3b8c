"""Notes on files are found by who wrote them: they belong to what a person is given of their data.

Revision ID: dinamis_023
Revises: dinamis_022
"""

from alembic import op

revision = "dinamis_023"
down_revision = "dinamis_022"
branch_labels = None
depends_on = None

INDEX = "ix_dinamis_application_note_author_id"


def upgrade():
    op.create_index(INDEX, "dinamis_application_note", ["author_id"])


def downgrade():
    op.drop_index(INDEX, "dinamis_application_note")
