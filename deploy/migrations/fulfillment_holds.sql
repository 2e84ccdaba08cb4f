-- Standing holds: on a person (by keyed hash), a system or a category. A row stays when its hold is over, without hashes:
-- who placed it and why is evidence, whom it was on is not needed any more.
CREATE TABLE holds (
  hold_id          uuid PRIMARY KEY,
  scope            text NOT NULL CHECK (scope IN ('person', 'system', 'category')),
  business         text NOT NULL,
  name             text,                     -- the system's or the category's
  hashes           text[] NOT NULL,          -- `<key version>:<hmac>`, of a person only
  actor            text NOT NULL,
  reason           text NOT NULL,
  evidence         text,
  placed_at        timestamptz NOT NULL,
  released_at      timestamptz,
  released_by      text,
  released_because text,
  release_evidence text
);
CREATE INDEX holds_of_people ON holds USING gin (hashes) WHERE released_at IS NULL;
