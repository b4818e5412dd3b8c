"""The records that the CSW serves, in pycsw's own form.

Revision ID: 0005_csw_record
Revises: 0004_properties
"""

from alembic import op

revision = "0005_csw_record"
down_revision = "0004_properties"
branch_labels = None
depends_on = None

NEEDED = "identifier typename schema mdsource insert_date xml anytext"
OTHERS = """language type title title_alternate abstract keywords keywordstype parentidentifier relation time_begin
    time_end topicategory resourcelanguage creator publisher contributor organization securityconstraints
    accessconstraints otherconstraints date date_revision date_creation date_publication date_modified format source crs
    geodescode denominator distancevalue distanceuom wkt_geometry servicetype servicetypeversion operation couplingtype
    operateson operatesonidentifier operatesoname degree classification conditionapplyingtoaccessanduse lineage
    responsiblepartyrole specificationtitle specificationdate specificationdatetype links"""


def upgrade() -> None:
    """Make the table; ``ckan dinamis records sync`` or the worker fills it."""
    columns = [f"{name} text NOT NULL" for name in NEEDED.split()] + [f"{name} text" for name in OTHERS.split()]
    columns.append(
        "wkb_geometry geometry(Geometry, 4326) GENERATED ALWAYS AS (ST_GeomFromText(wkt_geometry, 4326)) STORED"
    )
    op.execute(f"CREATE TABLE csw_record ({', '.join(columns)}, PRIMARY KEY (identifier))")
    op.execute("CREATE INDEX csw_record_geometry ON csw_record USING gist (wkb_geometry)")


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE csw_record")
