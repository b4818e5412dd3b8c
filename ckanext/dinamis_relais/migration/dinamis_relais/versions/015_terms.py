"""Why a membership ended, the texts that earlier signatures accepted, and every version of the operator's mails.

Revision ID: dinamis_015
Revises: dinamis_014
"""

import sqlalchemy as sa
from alembic import op

revision = "dinamis_015"
down_revision = "dinamis_014"
branch_labels = None
depends_on = None

TEXT = sa.UnicodeText
TIME = sa.DateTime(timezone=True)


def upgrade():
    op.add_column("dinamis_membership", sa.Column("ended_because", TEXT))
    op.execute("UPDATE dinamis_membership SET ended_because = 'left' WHERE state = 'ended'")
    # What was accepted stands in the proof of each signature made online.
    op.execute("""
        UPDATE dinamis_application a SET accepted_texts = (
            SELECT jsonb_object_agg(t ->> 'kind', t ->> 'version')
            FROM dinamis_signature_link l, jsonb_array_elements(l.evidence -> 'accepted') t
            WHERE l.application_id = a.id AND l.used_at = (
                SELECT max(used_at) FROM dinamis_signature_link WHERE application_id = a.id AND evidence ? 'accepted')
            AND t ->> 'kind' IN ('charter', 'licences'))
        WHERE accepted_texts IS NULL
    """)
    op.execute("""
        UPDATE dinamis_membership m SET accepted_texts = a.accepted_texts
        FROM dinamis_application a WHERE a.id = m.application_id AND m.accepted_texts IS NULL
    """)
    # Nothing ever wrote the table of one text a mail: every version is kept instead.
    op.drop_table("dinamis_mail_wording")
    op.create_table(
        "dinamis_mail_version",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("language", TEXT, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", TEXT),
        sa.Column("body", TEXT),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
    )


def downgrade():
    op.drop_table("dinamis_mail_version")
    op.create_table(
        "dinamis_mail_wording",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("language", TEXT, primary_key=True),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
    )
    op.drop_column("dinamis_membership", "ended_because")
