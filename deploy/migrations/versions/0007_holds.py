"""Holds that stand by themselves: on a person, a system or a category.

Revision ID: 0007
"""

from alembic import context, op

from deploy.migrations.scripts import run_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the register to the service that has one."""
    run_script(f"{context.config.attributes['schema']}_holds.sql", optional=True)


def downgrade() -> None:
    """The register is left out again; what it held is lost."""
    op.execute("DROP TABLE IF EXISTS holds")
