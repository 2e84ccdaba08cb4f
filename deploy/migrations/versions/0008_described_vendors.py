"""How each vendor was described, and until when: who got data is told of it, though its file is changed or gone.

Revision ID: 0008
"""

from alembic import context, op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One row for each description; the one that is true now has no end."""
    if context.config.attributes["schema"] != "fulfillment":
        return
    op.execute(
        """
        CREATE TABLE described_vendors (
          id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          vendor       text NOT NULL,
          description  text NOT NULL,
          last_true_at timestamptz
        )"""
    )
    op.execute("CREATE UNIQUE INDEX described_now ON described_vendors (vendor) WHERE last_true_at IS NULL")


def downgrade() -> None:
    """Vendors whose files are gone are told nothing any more."""
    if context.config.attributes["schema"] == "fulfillment":
        op.execute("DROP TABLE described_vendors")
