-- The tables that every service has, in its own schema (search_path is set by the migration).
-- Rows hold opaque ids, counts, dates and sealed bytes: no identity in the clear.

CREATE TABLE cases (
  request_id   uuid PRIMARY KEY,
  business     text NOT NULL DEFAULT '',
  body         text CHECK (octet_length(body) <= 65536),
  applied      text NOT NULL DEFAULT '{}',   -- the gate: last applied sequence per event topic
  sent         text NOT NULL DEFAULT '{}',   -- last sequence given out per event topic of ours
  audit_seq    integer NOT NULL DEFAULT 0,
  audit_head   text NOT NULL DEFAULT '',
  blocked      boolean NOT NULL DEFAULT false,
  wake_at      timestamptz,
  opened_month date NOT NULL,                -- constant: the outbox is partitioned by it
  closed_at    timestamptz
) WITH (fillfactor = 70);
CREATE INDEX cases_wake ON cases (wake_at) WHERE wake_at IS NOT NULL AND NOT blocked;

CREATE TABLE applied_commands (
  request_id uuid NOT NULL,
  source     text NOT NULL,
  command_id uuid NOT NULL,
  PRIMARY KEY (request_id, source, command_id)
);

CREATE TABLE parked (
  request_id uuid NOT NULL,
  topic      text NOT NULL,
  source     text NOT NULL,
  message_id uuid NOT NULL,
  sequence   integer,                        -- null for a command that waits for a blocked case
  partition  integer NOT NULL,
  "offset"   bigint NOT NULL,
  key        bytea NOT NULL,                 -- a submission's is not the request's id
  headers    text NOT NULL,
  value      bytea NOT NULL,
  parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (request_id, topic, source, message_id)
);

CREATE TABLE kept (
  request_id uuid NOT NULL,
  name       text NOT NULL,
  message_id uuid NOT NULL,
  field      text NOT NULL,
  sealed     text NOT NULL,
  PRIMARY KEY (request_id, name)
);

CREATE TABLE audit (
  request_id uuid NOT NULL,
  seq        integer NOT NULL,
  at         timestamptz NOT NULL,
  kind       text NOT NULL,
  facts      text NOT NULL,
  prev       text NOT NULL,
  hash       text NOT NULL,
  PRIMARY KEY (request_id, seq)
);

-- Partitioned by the month in which the request was opened, a constant of the request: so uniqueness over the
-- partition key is uniqueness, and a month goes as a whole once its requests are closed and thirty days old.
CREATE TABLE outbox (
  id             bigint GENERATED ALWAYS AS IDENTITY,
  opened_month   date NOT NULL,
  shard          smallint NOT NULL,
  topic          text NOT NULL,
  key            text NOT NULL,
  request_id     uuid,
  sequence       integer,
  headers        text NOT NULL,
  value          bytea NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  published_at   timestamptz,
  blocked_at     timestamptz,
  blocked_reason text,
  PRIMARY KEY (id, opened_month),
  UNIQUE (topic, request_id, sequence, opened_month)
) PARTITION BY RANGE (opened_month);
CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL AND blocked_at IS NULL;
CREATE INDEX outbox_heads ON outbox (key, topic, id) WHERE published_at IS NULL;
CREATE INDEX outbox_request ON outbox (request_id);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;

CREATE TABLE outbox_shards (
  shard       smallint PRIMARY KEY,
  owner       text NOT NULL DEFAULT '',
  epoch       bigint NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE TABLE outbox_relays (
  owner   text PRIMARY KEY,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO outbox_shards (shard) SELECT generate_series(0, 15);

CREATE TABLE tasks (
  task_id         uuid PRIMARY KEY,
  request_id      uuid NOT NULL REFERENCES cases,
  key             text NOT NULL,
  handler         text NOT NULL,
  purpose         text NOT NULL,
  state           text NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'claimed', 'calling', 'ambiguous', 'needs_person', 'done', 'canceled')),
  body            text NOT NULL,
  urgency         timestamptz NOT NULL,
  run_at          timestamptz NOT NULL,
  epoch           bigint NOT NULL DEFAULT 0,
  lease_until     timestamptz,
  attempts        integer NOT NULL DEFAULT 0,
  hurried         boolean NOT NULL DEFAULT false,  -- while it runs: if it must come back, then at once
  frozen          text,                      -- sealed: the immutable ids that find returned
  frozen_id       uuid,                      -- the message id that frozen is sealed under
  idempotency_key text,
  result          text,
  UNIQUE (request_id, key)
) WITH (fillfactor = 70);
-- In the order of a claim: many tasks are equally urgent, and a claim must not sort them all to take a few.
CREATE INDEX tasks_due ON tasks (urgency, task_id, run_at) WHERE state IN ('queued', 'ambiguous');
CREATE INDEX tasks_leased ON tasks (lease_until) WHERE state IN ('claimed', 'calling');

CREATE TABLE dead_letters (
  id          uuid PRIMARY KEY,              -- made from the record and the reason: read twice, it is one letter
  at          timestamptz NOT NULL,
  topic       text NOT NULL,
  partition   integer NOT NULL,
  "offset"    bigint NOT NULL,
  request_id  uuid,
  reason      text NOT NULL,
  field       text,
  sealed      text NOT NULL,                 -- key, headers and value under the month's key
  replayed_at timestamptz,
  replayed_by text
);

-- A month of the outbox goes as a whole once every request that was opened in it was closed before the given time,
-- and nothing in it still has to be published.
-- The service may call this and nothing else that changes tables: it runs as the owner, with a pinned search_path
-- (the migration sets it to this schema).
CREATE FUNCTION forget_outbox(closed_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  month record;
  dropped integer := 0;
BEGIN
  FOR month IN
    SELECT c.relname AS name, to_date(substr(c.relname, 8), 'YYYY_MM') AS opened
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'outbox'::regclass AND c.relname ~ '^outbox_[0-9]{4}_[0-9]{2}$'
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
END $$;

-- Months are made ahead by `habeas migrate`; what falls outside of them lies in the default partition.
CREATE FUNCTION prepare_outbox(first_month date, months integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  month date;
BEGIN
  FOR month IN SELECT generate_series(first_month, first_month + (months - 1) * interval '1 month', '1 month')::date
  LOOP
    IF to_regclass('outbox_' || to_char(month, 'YYYY_MM')) IS NULL
      AND NOT EXISTS (SELECT 1 FROM outbox_default WHERE opened_month = month) THEN
      EXECUTE format(
        'CREATE TABLE %I PARTITION OF outbox FOR VALUES FROM (%L) TO (%L)',
        'outbox_' || to_char(month, 'YYYY_MM'), month, (month + interval '1 month')::date);
    END IF;
  END LOOP;
END $$;
