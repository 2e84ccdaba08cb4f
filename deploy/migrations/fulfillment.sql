-- One row for each request whose subject was verified. A row with a hash is the open request of that subject and
-- right; a later one of the same joins it and gets a row without a hash. Forgotten when the request is closed.
CREATE TABLE open_subject (
  request_id   uuid PRIMARY KEY,
  business     text NOT NULL,
  subject_hash text,                         -- `<key version>:<hmac>`; null once it is over
  asked        text NOT NULL,
  duplicate_of uuid,
  UNIQUE (business, subject_hash, asked)
);
