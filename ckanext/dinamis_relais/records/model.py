"""The table that pycsw reads: its own schema of a repository, column by column, in the scene store beside PostGIS."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry

from ckanext.dinamis_relais.imagery.model import metadata

#: pycsw's columns that must hold something (``pycsw.core.admin.setup_db``, 2.6).
NEEDED = ("identifier", "typename", "schema", "mdsource", "insert_date", "xml", "anytext")
#: Its others: a filter may name any of them, and a column that is missing would be an error of SQL.
OTHERS = (
    "language", "type", "title", "title_alternate", "abstract", "keywords", "keywordstype", "parentidentifier",
    "relation", "time_begin", "time_end", "topicategory", "resourcelanguage", "creator", "publisher", "contributor",
    "organization", "securityconstraints", "accessconstraints", "otherconstraints", "date", "date_revision",
    "date_creation", "date_publication", "date_modified", "format", "source", "crs", "geodescode", "denominator",
    "distancevalue", "distanceuom", "wkt_geometry", "servicetype", "servicetypeversion", "operation", "couplingtype",
    "operateson", "operatesonidentifier", "operatesoname", "degree", "classification",
    "conditionapplyingtoaccessanduse", "lineage", "responsiblepartyrole", "specificationtitle", "specificationdate",
    "specificationdatetype", "links",
)  # fmt: skip

#: One row a record. ``xml`` is what ``/dinamis/iso/`` answers; ``insert_date`` when the row was last written, which
#: pycsw announces as the catalogue's ``updateSequence``; ``wkb_geometry``, named as pycsw demands, is computed.
csw_records = sa.Table(
    "csw_record",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=name == "identifier", nullable=False) for name in NEEDED),
    *(sa.Column(name, sa.Text) for name in OTHERS),
    sa.Column(
        "wkb_geometry", Geometry("GEOMETRY", srid=4326, spatial_index=False),
        sa.Computed("ST_GeomFromText(wkt_geometry, 4326)"),
    ),
)  # fmt: skip

sa.Index("csw_record_geometry", csw_records.c.wkb_geometry, postgresql_using="gist")
