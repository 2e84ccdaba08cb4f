"""The tables that every service has, and the service's own.

Revision ID: 0001
"""

from alembic import context

from deploy.migrations.scripts import run_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the kernel's tables, then what the service of this schema adds."""
    run_script("kernel.sql")
    run_script(f"{context.config.attributes['schema']}.sql", optional=True)


def downgrade() -> None:
    """There is no way back from a first migration: drop the schema instead."""
    raise NotImplementedError
