-- What was found after a request was closed, each signed by itself; like certificates, they name no person.
CREATE TABLE addenda (
  request_id     uuid NOT NULL,
  event_id       uuid NOT NULL,              -- the FindingAdded that it is about
  payload_sha256 text NOT NULL CHECK (payload_sha256 ~ '^[0-9a-f]{64}$'),
  jws            text NOT NULL,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (request_id, event_id)
);
