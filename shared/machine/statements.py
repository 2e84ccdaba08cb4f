"""The SQL of the store, a statement a constant; arrays in, rows out."""

import re
from functools import cache

_CASE = """request_id, opened_month, business, body, applied, sent, audit_seq, audit_head, blocked,
  wake_at, closed_at"""

INSERT_CASES = f"""
INSERT INTO cases (request_id, opened_month) SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING
RETURNING {_CASE}"""

LOCK_CASES = f"""
SELECT {_CASE} FROM cases WHERE request_id = ANY($1::uuid[]) ORDER BY request_id FOR UPDATE"""  # noqa: S608 - our own columns

DUE = "SELECT request_id FROM cases WHERE wake_at <= $1 AND NOT blocked ORDER BY wake_at LIMIT $2"

LOCK_DUE = f"""
SELECT {_CASE} FROM cases WHERE request_id = ANY($1::uuid[]) AND wake_at <= $2 AND NOT blocked
ORDER BY request_id FOR UPDATE SKIP LOCKED"""  # noqa: S608 - our own columns

SEEN_COMMANDS = """
SELECT a.request_id, a.source, a.command_id FROM applied_commands a
JOIN unnest($1::uuid[], $2::text[], $3::uuid[]) AS m(request_id, source, command_id)
  USING (request_id, source, command_id)"""

UPDATE_CASES = """
UPDATE cases c SET business = u.business, body = u.body, applied = u.applied, sent = u.sent,
  audit_seq = u.audit_seq, audit_head = u.audit_head, blocked = u.blocked,
  wake_at = u.wake_at, closed_at = u.closed_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[],
  $8::boolean[], $9::timestamptz[], $10::timestamptz[])
  AS u(request_id, business, body, applied, sent, audit_seq, audit_head, blocked, wake_at, closed_at)
WHERE c.request_id = u.request_id"""

INSERT_OUTBOX = """
INSERT INTO outbox (opened_month, shard, topic, key, request_id, sequence, headers, value)
SELECT * FROM unnest($1::date[], $2::smallint[], $3::text[], $4::text[], $5::uuid[], $6::int[], $7::text[],
  $8::bytea[])"""

# A plan that is already there stays as it is: facts may reach a domain twice, its tasks may not.
INSERT_TASKS = """
INSERT INTO tasks (task_id, request_id, key, handler, purpose, body, urgency, run_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
  $8::timestamptz[])
ON CONFLICT (request_id, key) DO NOTHING"""

# A task that waits for a person or for a later try is looked at now. One that froze its ids may have called out,
# so it comes back as ambiguous and proves before it acts. One that runs comes back at once, if it comes back.
HURRY_TASKS = """
UPDATE tasks t SET run_at = u.run_at, hurried = t.state IN ('claimed', 'calling'), state = CASE
  WHEN t.state = 'needs_person' AND t.frozen_id IS NOT NULL THEN 'ambiguous'
  WHEN t.state = 'needs_person' THEN 'queued' ELSE t.state END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS u(request_id, key, run_at)
WHERE t.request_id = u.request_id AND t.key = u.key AND t.state NOT IN ('done', 'canceled')"""

# By their keys, not by the index of what runs: see shared/tasks/statements.py.
FINISH_TASKS = """
UPDATE tasks t SET state = u.state, result = u.result, lease_until = NULL
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS u(task_id, epoch, state, result)
WHERE t.task_id = u.task_id AND t.epoch = u.epoch AND t.state || '' IN ('claimed', 'calling')
RETURNING t.task_id"""

INSERT_AUDIT = """
INSERT INTO audit (request_id, seq, at, kind, facts, prev, hash)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])"""

INSERT_COMMANDS = """
INSERT INTO applied_commands (request_id, source, command_id)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[])"""

INSERT_KEPT = """
INSERT INTO kept (request_id, name, message_id, field, sealed)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[])
ON CONFLICT (request_id, name) DO UPDATE
  SET message_id = excluded.message_id, field = excluded.field, sealed = excluded.sealed"""

INSERT_PARKED = """
INSERT INTO parked (request_id, topic, source, message_id, sequence, partition, "offset", key, headers, value)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::int[], $7::bigint[],
  $8::bytea[], $9::text[], $10::bytea[])
ON CONFLICT DO NOTHING"""

DELETE_PARKED = """
DELETE FROM parked p USING unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])
  AS u(request_id, topic, source, message_id)
WHERE (p.request_id, p.topic, p.source, p.message_id) = (u.request_id, u.topic, u.source, u.message_id)"""

# A letter that comes back after its replay is open again.
INSERT_DEAD = """
INSERT INTO dead_letters (id, at, topic, partition, "offset", request_id, reason, field, sealed)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::bigint[], $6::uuid[], $7::text[],
  $8::text[], $9::text[])
ON CONFLICT (id) DO UPDATE
  SET at = excluded.at, sealed = excluded.sealed, replayed_at = NULL, replayed_by = NULL"""

KNOWN_LETTERS = "SELECT id FROM dead_letters WHERE id = ANY($1::uuid[])"

# Once the first of a topic is next in sequence, those behind it come along: one batch drains them in order.
READY_PARKED = """
SELECT p.* FROM parked p JOIN cases c USING (request_id)
WHERE NOT c.blocked AND (p.sequence IS NULL OR EXISTS (
  SELECT 1 FROM parked head WHERE head.request_id = p.request_id AND head.topic = p.topic
    AND head.sequence <= coalesce((c.applied::jsonb ->> p.topic)::int, 0) + 1))
ORDER BY p.request_id, p.topic, p.sequence LIMIT $1"""

OLDEST_GAP = "SELECT extract(epoch FROM clock_timestamp() - min(parked_at)) FROM parked"

BLOCKED_CASES = "SELECT count(*) FROM cases WHERE blocked"

OPEN_LETTERS = "SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL"


@cache
def together(*statements: str) -> str:
    """One statement that does what these do, with their parameters one after the other.

    All of them see the database as it was before: none may need what another one writes.
    """
    parts, before = [], 0
    for statement in statements:
        parts.append(_moved(statement.strip(), before))
        before += len(set(_PARAMETER.findall(statement)))
    *first, last = parts
    written = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(first))
    return f"WITH {written} {last}" if first else last


def _moved(statement: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement)


_PARAMETER = re.compile(r"\$([0-9]+)")
