-- Which answers were appealed against, and by which request: the key decides between two that come at once. No identity.
CREATE TABLE appeals (
  appealed uuid PRIMARY KEY,                 -- the denied request
  appeal   uuid NOT NULL                     -- the request that appeals against its answer
);
INSERT INTO appeals (appealed, appeal)
SELECT (body::jsonb #>> '{linked,request_id}')::uuid, request_id FROM cases
WHERE body IS NOT NULL AND body::jsonb #>> '{linked,kind}' = 'appeal'
ON CONFLICT DO NOTHING;
