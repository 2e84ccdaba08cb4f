"""The SQL of the leased tasks. Leases run on the database's clock; `run_at` on the business's."""

# A lease that ran out: before the call nothing was done, after it nobody knows.
EXPIRE = """
UPDATE tasks t SET state = CASE t.state WHEN 'calling' THEN 'ambiguous' ELSE 'queued' END,
  epoch = t.epoch + 1, lease_until = NULL
FROM (
  SELECT task_id FROM tasks WHERE state IN ('claimed', 'calling') AND lease_until < clock_timestamp()
  FOR UPDATE SKIP LOCKED
) expired
WHERE t.task_id = expired.task_id"""

# Cases that are blocked or held by somebody else are stepped over, or the most urgent of them would keep all
# others waiting.
DUE = """
SELECT t.*, c.body AS case_body FROM tasks t JOIN cases c USING (request_id)
WHERE t.state IN ('queued', 'ambiguous') AND t.run_at <= $1 AND t.handler = ANY($2::text[]) AND NOT c.blocked
ORDER BY t.urgency, t.task_id LIMIT $3 FOR UPDATE OF c SKIP LOCKED"""

CLAIM = """
UPDATE tasks t SET state = u.state, epoch = t.epoch + 1, attempts = t.attempts + 1, hurried = false,
  lease_until = clock_timestamp() + $4 * interval '1 second'
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS u(task_id, state, epoch)
WHERE t.task_id = u.task_id AND t.epoch = u.epoch AND t.state IN ('queued', 'ambiguous')
RETURNING t.task_id"""

POSTPONE = """
UPDATE tasks t SET run_at = u.run_at FROM unnest($1::uuid[], $2::timestamptz[]) AS u(task_id, run_at)
WHERE t.task_id = u.task_id AND t.state IN ('queued', 'ambiguous')"""

LOCK_CASE = "SELECT body, blocked FROM cases WHERE request_id = $1 FOR UPDATE"

MINE = "SELECT 1 FROM tasks WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling')"

CALLING = """
UPDATE tasks SET state = 'calling', frozen = coalesce($3, frozen), frozen_id = coalesce($4, frozen_id),
  idempotency_key = coalesce($5, idempotency_key), lease_until = clock_timestamp() + $6 * interval '1 second'
WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling')"""

AGAIN = """
UPDATE tasks SET state = CASE WHEN $3 THEN 'ambiguous' ELSE 'queued' END, lease_until = NULL,
  run_at = CASE WHEN hurried THEN run_at ELSE $4 END
WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling')"""

OPEN = "SELECT state, count(*) AS n FROM tasks WHERE state NOT IN ('done', 'canceled') GROUP BY state"
