"""Alembic migrations of the services' databases, and the SQL of the vault."""
