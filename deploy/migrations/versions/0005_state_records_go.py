"""Records of state topics leave the outbox when they have been out for long: they belong to no month and no request.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"

_MONTHS = """
CREATE OR REPLACE FUNCTION forget_outbox(closed_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  month record;
  dropped integer := 0;
BEGIN
  {first}
  FOR month IN
    SELECT c.relname AS name, to_date(substr(c.relname, 8), 'YYYY_MM') AS opened
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'outbox'::regclass AND c.relname ~ '^outbox_[0-9]{{4}}_[0-9]{{2}}$'
      AND to_date(substr(c.relname, 8), 'YYYY_MM') + interval '1 month' < closed_before
  LOOP
    IF NOT EXISTS (
      SELECT 1 FROM cases WHERE opened_month = month.opened AND (closed_at IS NULL OR closed_at >= closed_before)
    ) AND NOT EXISTS (SELECT 1 FROM outbox WHERE opened_month = month.opened AND published_at IS NULL) THEN
      EXECUTE format('DROP TABLE %I', month.name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $$"""


def upgrade() -> None:
    """Beside the months of closed requests, what state topics have long since had goes."""
    op.execute(
        _MONTHS.format(
            first="DELETE FROM outbox WHERE opened_month = '1970-01-01' AND published_at < closed_before;"
        )
    )


def downgrade() -> None:
    """The months alone."""
    op.execute(_MONTHS.format(first=""))
