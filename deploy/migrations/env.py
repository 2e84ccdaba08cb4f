"""Alembic's environment: one run per service schema, over a connection that `deploy.migrate` hands in."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
schema = context.config.attributes["schema"]
# Tables and functions belong to a role that cannot log in, not to whoever runs the migration.
connection.execute(text(f"SET ROLE {context.config.attributes['owner']}"))
connection.execute(text(f"SET search_path TO {schema}"))
context.configure(connection=connection, version_table_schema=schema, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
