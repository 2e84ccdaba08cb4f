-- The ids to which a call is bound, where they are very many: sealed pieces, all of them written before the call is
-- committed. They are somebody's once a row of `tasks` names their frozen_id; what none names for a day is deleted, and
-- so is what no key opens any more.
CREATE TABLE frozen_keys (
  frozen_id  uuid NOT NULL,
  number     integer NOT NULL,               -- from 1; the task's row says, sealed, how many there are
  request_id uuid NOT NULL,
  sealed     text NOT NULL,
  noted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (frozen_id, number)
);
CREATE INDEX frozen_keys_first ON frozen_keys (noted_at) WHERE number = 1;
