"""How long each system took, for deadline's predictions: ids, names and times, no identity.

Revision ID: 0003
"""

from alembic import context, op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One row for each system of a request; it goes a year after its system was done."""
    if context.config.attributes["schema"] != "deadline":
        return
    op.execute(
        """
        CREATE TABLE system_work (
          request_id uuid NOT NULL,
          system     text NOT NULL,
          asked      text NOT NULL,
          planned_at timestamptz,
          settled_at timestamptz,
          PRIMARY KEY (request_id, system)
        )"""
    )
    op.execute("CREATE INDEX system_work_settled ON system_work (settled_at)")


def downgrade() -> None:
    """Predictions then say that they know nothing."""
    if context.config.attributes["schema"] == "deadline":
        op.execute("DROP TABLE system_work")
