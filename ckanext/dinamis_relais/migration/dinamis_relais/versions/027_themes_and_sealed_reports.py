"""What a download was for, if the person told it; a report is known by its hash, and whether it is sealed.

What was counted of downloads before is counted as not told.

Revision ID: dinamis_027
Revises: dinamis_026
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_027"
down_revision = "dinamis_026"
branch_labels = None
depends_on = None


def count_as_not_told(execute):
    # Counters of lines that were pruned could not be made again: those of the themes are made of the others.
    execute(
        "INSERT INTO dinamis_rollup (organization_id, grain, start, measure, dimension, value) "
        "SELECT organization_id, grain, start, replace(measure, 'download.', 'theme.'), 'none', sum(value) "
        "FROM dinamis_rollup WHERE measure LIKE 'download.%' GROUP BY 1, 2, 3, 4 HAVING sum(value) <> 0"
    )


def upgrade():
    op.add_column("dinamis_download", sa.Column("theme", sa.UnicodeText))
    count_as_not_told(op.execute)
    op.add_column("dinamis_report", sa.Column("sha256", sa.UnicodeText))
    for name in ("sealed", "timestamped"):
        op.add_column("dinamis_report", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE dinamis_report SET sha256 = encode(sha256(pdf), 'hex') WHERE pdf IS NOT NULL")
    op.create_index("dinamis_report_sha256", "dinamis_report", ["sha256"])


def downgrade():
    op.drop_index("dinamis_report_sha256", "dinamis_report")
    for name in ("timestamped", "sealed", "sha256"):
        op.drop_column("dinamis_report", name)
    op.execute("DELETE FROM dinamis_rollup WHERE measure LIKE 'theme.%'")
    op.drop_column("dinamis_download", "theme")
