-- Until when nobody may be asked to opt in again (Civ. Code 1798.135(c)(4), 11 CCR 7221(k)): by ground, and what they
-- add up to, which stands in the index as the rights do. What was suppressed before is given a day that is not too early.
ALTER TABLE suppressed ADD COLUMN waits jsonb NOT NULL DEFAULT '{}';    -- {"<right>/<request>": "2027-02-03"}
ALTER TABLE suppressed ADD COLUMN ask_again_from date;
UPDATE suppressed s SET waits = (
  SELECT coalesce(jsonb_object_agg(k, (s.since + interval '1 year 1 day')::date), '{}') FROM jsonb_object_keys(s.grounds) k
  WHERE split_part(k, '/', 1) IN ('opt_out', 'limit'));
UPDATE suppressed SET ask_again_from = (SELECT max(day)::date FROM jsonb_each_text(waits) AS w(ground, day));
ALTER TABLE suppressed DROP CONSTRAINT suppressed_pkey, ADD PRIMARY KEY (hash) INCLUDE (rights, ask_again_from);
