"""Any SQL database that SQLAlchemy reaches asynchronously: PostgreSQL and SQLite are tested."""

from services.fulfillment.adapters.sql.adapter import SqlAdapter, open_adapter

__all__ = ["SqlAdapter", "open_adapter"]
