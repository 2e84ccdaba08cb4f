"""The SQL of the leased tasks. Leases run on the database's clock; `run_at` on the business's."""

# A lease that ran out: before the call nothing was done, after it nobody knows.
EXPIRE = """
UPDATE tasks SET state = CASE state WHEN 'calling' THEN 'ambiguous' ELSE 'queued' END,
  epoch = epoch + 1, lease_until = NULL
WHERE state IN ('claimed', 'calling') AND lease_until < clock_timestamp()"""

DUE = """
SELECT t.request_id FROM tasks t
WHERE t.state IN ('queued', 'ambiguous') AND t.run_at <= $1 AND t.handler = ANY($2::text[])
ORDER BY t.urgency LIMIT $3"""

LOCK_CASES = """
SELECT request_id, body FROM cases WHERE request_id = ANY($1::uuid[]) AND NOT blocked
ORDER BY request_id FOR UPDATE SKIP LOCKED"""

OF_CASES = """
SELECT * FROM tasks WHERE request_id = ANY($1::uuid[]) AND state IN ('queued', 'ambiguous') AND run_at <= $2
  AND handler = ANY($3::text[])
ORDER BY urgency LIMIT $4"""

CLAIM = """
UPDATE tasks t SET state = u.state, epoch = t.epoch + 1, attempts = t.attempts + 1,
  lease_until = clock_timestamp() + $4 * interval '1 second'
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS u(task_id, state, epoch)
WHERE t.task_id = u.task_id AND t.epoch = u.epoch
RETURNING t.task_id"""

POSTPONE = """
UPDATE tasks t SET run_at = u.run_at FROM unnest($1::uuid[], $2::timestamptz[]) AS u(task_id, run_at)
WHERE t.task_id = u.task_id AND t.state IN ('queued', 'ambiguous')"""

LOCK_CASE = "SELECT body, blocked FROM cases WHERE request_id = $1 FOR UPDATE"

CALLING = """
UPDATE tasks SET state = 'calling', frozen = coalesce($3, frozen), frozen_id = coalesce($4, frozen_id),
  idempotency_key = coalesce($5, idempotency_key), lease_until = clock_timestamp() + $6 * interval '1 second'
WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling')"""

AGAIN = """
UPDATE tasks SET state = CASE WHEN $3 THEN 'ambiguous' ELSE 'queued' END, run_at = $4, lease_until = NULL
WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling')"""

OPEN = "SELECT state, count(*) AS n FROM tasks WHERE state NOT IN ('done', 'canceled') GROUP BY state"
