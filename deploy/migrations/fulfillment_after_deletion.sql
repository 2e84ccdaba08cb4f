-- Who must stay deleted, is opted out or limited, by keyed hash; no identity. A row whose last ground went is deleted.
-- What is asked for stands in the index itself, so that ten thousand hashes are looked up without touching the rows.
CREATE TABLE suppressed (
  hash     bytea,                            -- the key's version in two bytes, then the HMAC
  rights   text NOT NULL,                    -- what the grounds add up to: `delete opt_out`
  business text NOT NULL,
  grounds  jsonb NOT NULL,                   -- {"<right>/<request>": since}
  since    timestamptz NOT NULL,
  version  bigint NOT NULL,                  -- grows with every change of any row
  PRIMARY KEY (hash) INCLUDE (rights)
);
CREATE SEQUENCE suppressed_version;
