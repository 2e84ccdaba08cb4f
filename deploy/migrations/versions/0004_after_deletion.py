"""What is kept after a deletion: who is suppressed, and the addenda to certificates.

Revision ID: 0004
"""

from alembic import context, op

from deploy.migrations.scripts import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what the service of this schema needs, if it needs anything."""
    run_script(f"{context.config.attributes['schema']}_after_deletion.sql", optional=True)


def downgrade() -> None:
    """The tables are left out again; what they held is lost."""
    op.execute("DROP TABLE IF EXISTS suppressed, addenda")
    op.execute("DROP SEQUENCE IF EXISTS suppressed_version")
