-- What the deadline service adds: the signed certificates. They name ids, dates, counts and digests, no identity,
-- so they outlive the request's key.

CREATE TABLE certificates (
  request_id     uuid PRIMARY KEY,
  payload_sha256 text NOT NULL CHECK (payload_sha256 ~ '^[0-9a-f]{64}$'),
  jws            text NOT NULL,
  created_at     timestamptz NOT NULL
);
