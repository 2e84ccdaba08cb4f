"""Indexes for what the gauges count every few seconds: a scan of all cases would grow with them.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Cases that are blocked and letters that are open are few, however many there are of the others."""
    op.execute("CREATE INDEX cases_blocked ON cases (request_id) WHERE blocked")
    op.execute("CREATE INDEX dead_letters_open ON dead_letters (at) WHERE replayed_at IS NULL")


def downgrade() -> None:
    """The gauges work without them, only slower."""
    op.execute("DROP INDEX cases_blocked")
    op.execute("DROP INDEX dead_letters_open")
