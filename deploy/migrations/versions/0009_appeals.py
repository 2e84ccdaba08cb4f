"""Which answers were appealed against: each of them once.

Revision ID: 0009
"""

from alembic import context, op

from deploy.migrations.scripts import run_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the register to the service that takes appeals in, with those that it has."""
    run_script(f"{context.config.attributes['schema']}_appeals.sql", optional=True)


def downgrade() -> None:
    """Two appeals against one answer are both taken again."""
    op.execute("DROP TABLE IF EXISTS appeals")
