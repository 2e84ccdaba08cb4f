-- One row for each verified request for a right that a law lets a business answer only so often (Civ. Code
-- 1798.130(b)); no identity. What no law looks back on any more is deleted.
CREATE TABLE limited_requests (
  request_id   uuid PRIMARY KEY,
  business     text NOT NULL,
  subject_hash text NOT NULL,                -- `<key version>:<hmac>`
  asked        text NOT NULL,                -- what is counted together: `know`
  noted_at     timestamptz NOT NULL
);
CREATE INDEX limited_requests_subject ON limited_requests (business, subject_hash, asked);
CREATE INDEX limited_requests_noted ON limited_requests (noted_at);
