"""The relay's SQL. The flag `published_at` is the truth; the scan position only skips dead index entries."""

ACQUIRE = """
UPDATE outbox_shards s SET owner = $1, lease_until = clock_timestamp() + $2 * interval '1 second',
  epoch = epoch + CASE WHEN owner = $1 AND lease_until > clock_timestamp() THEN 0 ELSE 1 END
FROM (
  SELECT shard FROM outbox_shards
  WHERE owner = $1 OR lease_until < clock_timestamp()
  ORDER BY (owner = $1) DESC, shard LIMIT $3 FOR UPDATE SKIP LOCKED
) mine
WHERE s.shard = mine.shard
RETURNING s.shard, s.epoch"""

# A relay says that it is there before it owns anything: the fair share counts those who wait, too.
PRESENT = """
INSERT INTO outbox_relays (owner) VALUES ($1)
ON CONFLICT (owner) DO UPDATE SET seen_at = clock_timestamp()"""

OTHERS = """
SELECT count(*) FROM outbox_relays WHERE owner <> $1 AND seen_at > clock_timestamp() - interval '15 seconds'"""

GONE = "DELETE FROM outbox_relays WHERE owner = $1"

RELEASE = "UPDATE outbox_shards SET lease_until = '-infinity' WHERE owner = $1"

RELEASE_SOME = """
UPDATE outbox_shards SET lease_until = '-infinity' WHERE owner = $1 AND shard = ANY($2::smallint[])"""

# Head of line: a row goes only when no earlier row of its topic and key is still to be published. The candidates are
# taken first, in order, and each is looked up by itself (OFFSET 0 keeps it from becoming a join over all that is
# unpublished): what a turn costs must not grow with what waits behind it. Only the index of heads fits the look-up:
# topic and id are written so that no index of theirs does, for figures of a month that has just begun make the planner
# take all records of a topic for as few as those of a key, and each look-up would read the whole month's.
HEADS = """
WITH next AS MATERIALIZED (
  SELECT id, opened_month, shard, topic, key, headers, value FROM outbox
  WHERE published_at IS NULL AND blocked_at IS NULL AND id > $1 AND shard = ANY($2::smallint[])
  ORDER BY id LIMIT $3)
SELECT o.*, NOT EXISTS (
    SELECT 1 FROM outbox e
    WHERE e.key = o.key AND e.topic || '' = o.topic AND e.opened_month = o.opened_month
      AND e.published_at IS NULL AND e.id + 0 < o.id
    OFFSET 0) AS is_head
FROM next o ORDER BY o.id"""

# Marks only under the epochs that this owner still holds: $4 is its epoch by shard, null for the others.
MARK = """
UPDATE outbox o SET published_at = clock_timestamp()
WHERE o.opened_month = $1 AND o.id = ANY($2::bigint[]) AND EXISTS (
  SELECT 1 FROM outbox_shards s
  WHERE s.shard = o.shard AND s.owner = $3 AND s.epoch = ($4::bigint[])[o.shard + 1])"""

BLOCK = """
UPDATE outbox o SET blocked_at = clock_timestamp(), blocked_reason = $3
FROM outbox_shards s
WHERE o.id = $1 AND o.opened_month = $2 AND s.shard = o.shard AND s.epoch = $4 AND s.owner = $5"""

OLDEST = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) FROM outbox
WHERE published_at IS NULL AND blocked_at IS NULL"""

BLOCKED = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND blocked_at IS NOT NULL"

FREE_SHARDS = "SELECT count(*) FROM outbox_shards WHERE lease_until < clock_timestamp()"

RESYNC = """
UPDATE outbox SET published_at = NULL WHERE request_id = $1 AND published_at IS NOT NULL"""

SENT_ON = """
SELECT DISTINCT request_id FROM {schema}.outbox
WHERE topic = $1 AND published_at IS NOT NULL AND request_id IS NOT NULL ORDER BY request_id"""

RESYNC_ON = """
UPDATE outbox SET published_at = NULL WHERE request_id = $1 AND topic = $2 AND published_at IS NOT NULL"""

UNBLOCK = """
UPDATE outbox SET blocked_at = NULL, blocked_reason = NULL WHERE request_id = $1 AND blocked_at IS NOT NULL"""
