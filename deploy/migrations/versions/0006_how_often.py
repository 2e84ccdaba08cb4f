"""How often the same person was answered, where a law limits it.

Revision ID: 0006
"""

from alembic import context, op

from deploy.migrations.scripts import run_script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what the service of this schema needs, if it needs anything."""
    run_script(f"{context.config.attributes['schema']}_limits.sql", optional=True)


def downgrade() -> None:
    """The table is left out again; who was answered before is not known any more."""
    op.execute("DROP TABLE IF EXISTS limited_requests")
