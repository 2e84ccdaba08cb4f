"""Very many frozen ids beside the tasks, piece by piece.

Revision ID: 0012
"""

from alembic import context, op

from deploy.migrations.scripts import run_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table to the service that acts on systems."""
    run_script(f"{context.config.attributes['schema']}_frozen_keys.sql", optional=True)


def downgrade() -> None:
    """Only while no deletion of very many rows is under way: what its task's row names would be gone."""
    op.execute("DROP TABLE IF EXISTS frozen_keys")
