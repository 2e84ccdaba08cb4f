"""The SQL of the leased tasks. Leases run on the database's clock; `run_at` on the business's.

Tasks that a statement names are found by their key. Where such a statement also says in which state they must be, it
says so by `state || ''`, for which no index can be used: figures that were taken when nothing waited tell the planner
that the index of what waits is empty, and it would walk over all that waits for every task that was named.
"""

# A lease that ran out: before the call nothing was done, after it nobody knows.
EXPIRE = """
UPDATE tasks t SET state = CASE t.state WHEN 'calling' THEN 'ambiguous' ELSE 'queued' END,
  epoch = t.epoch + 1, lease_until = NULL
FROM (
  SELECT task_id FROM tasks WHERE state IN ('claimed', 'calling') AND lease_until < now()
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
WHERE t.task_id = u.task_id AND t.epoch = u.epoch AND t.state || '' IN ('queued', 'ambiguous')
RETURNING t.task_id"""

POSTPONE = """
UPDATE tasks t SET run_at = u.run_at FROM unnest($1::uuid[], $2::timestamptz[]) AS u(task_id, run_at)
WHERE t.task_id = u.task_id AND t.state || '' IN ('queued', 'ambiguous')"""

LOCK_CASES = """
SELECT request_id, body, blocked FROM cases WHERE request_id = ANY($1::uuid[]) ORDER BY request_id FOR UPDATE"""

CALLING = """
UPDATE tasks t SET state = 'calling', frozen = coalesce(u.frozen, t.frozen),
  frozen_id = coalesce(u.frozen_id, t.frozen_id), idempotency_key = coalesce(u.idempotency_key, t.idempotency_key),
  lease_until = clock_timestamp() + $6 * interval '1 second'
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::text[])
  AS u(task_id, epoch, frozen, frozen_id, idempotency_key)
WHERE t.task_id = u.task_id AND t.epoch = u.epoch AND t.state || '' IN ('claimed', 'calling')
RETURNING t.task_id"""

EXTEND = """
UPDATE tasks SET lease_until = clock_timestamp() + $3 * interval '1 second'
WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling') RETURNING task_id"""

AGAIN = """
UPDATE tasks SET state = CASE WHEN $3 THEN 'ambiguous' ELSE 'queued' END, lease_until = NULL,
  run_at = CASE WHEN hurried THEN run_at ELSE $4 END
WHERE task_id = $1 AND epoch = $2 AND state IN ('claimed', 'calling')"""

# Each part by the index of its own states: what is done is most of the table, and must not be looked at to be left out.
OPEN = """
SELECT state, count(*) AS n FROM tasks WHERE state IN ('queued', 'ambiguous') GROUP BY state
UNION ALL SELECT state, count(*) FROM tasks WHERE state IN ('claimed', 'calling') GROUP BY state
UNION ALL SELECT state, count(*) FROM tasks WHERE state = 'needs_person' GROUP BY state"""
