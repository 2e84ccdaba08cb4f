"""Until when nobody may be asked to opt in again.

Revision ID: 0010
"""

from alembic import context, op

from deploy.migrations.scripts import run_script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the day to who is suppressed."""
    run_script(f"{context.config.attributes['schema']}_waits.sql", optional=True)


def downgrade() -> None:
    """The days are forgotten; the certificates still name them."""
    if context.config.attributes["schema"] == "fulfillment":
        op.execute("ALTER TABLE suppressed DROP CONSTRAINT suppressed_pkey")
        op.execute("ALTER TABLE suppressed DROP COLUMN ask_again_from, DROP COLUMN waits")
        op.execute("ALTER TABLE suppressed ADD PRIMARY KEY (hash) INCLUDE (rights)")
