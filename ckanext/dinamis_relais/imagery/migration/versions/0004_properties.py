"""Names and kinds of the scenes' properties, for filters and sorting; dates of JSON texts.

Revision ID: 0004_properties
Revises: 0003_files_and_parts
"""

from alembic import op

revision = "0004_properties"
down_revision = "0003_files_and_parts"
branch_labels = None
depends_on = None

#: A text that is no date gives null: one crooked item must not break every search that reads it.
CHANGES = """
CREATE TABLE collection_property (
    collection text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (collection, name, kind)
);
CREATE FUNCTION dinamis_moment(value text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN value ~ '^\\d{4}-\\d\\d-\\d\\d' THEN value::timestamptz END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;
INSERT INTO collection_property (collection, name, kind)
SELECT DISTINCT scene.collection, property.key,
    CASE json_typeof(property.value) WHEN 'string' THEN 'text' WHEN 'array' THEN 'list'
        ELSE json_typeof(property.value) END
FROM scene, json_each(scene.item -> 'properties') AS property
WHERE json_typeof(property.value) <> 'null';
"""


def upgrade() -> None:
    """Read the properties of the scenes that are there: once, a few seconds for 100,000."""
    op.execute(CHANGES)


def downgrade() -> None:
    """As before."""
    op.execute("DROP FUNCTION dinamis_moment(text); DROP TABLE collection_property;")
