"""Alembic environment of the scene store; the connection comes from ``model.upgrade``."""

from alembic import context

from ckanext.dinamis_relais.imagery.model import VERSION_TABLE, metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
