-- The vault: wrapped data keys, one per request. Run again at will; every statement is idempotent.
-- Nobody selects from the tables. Each login calls the functions that deploy/vault_database.py grants it, which
-- run as the owner (who cannot log in) with a pinned search_path.

CREATE SCHEMA IF NOT EXISTS vault;
REVOKE ALL ON SCHEMA vault FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Vacuumed at once: an overwritten key must not lie long in a dead row.
CREATE TABLE IF NOT EXISTS vault.keys (
  request_id   uuid PRIMARY KEY,
  wrapped      bytea CHECK (octet_length(wrapped) BETWEEN 1 AND 4096),
  kek_version  text CHECK (octet_length(kek_version) BETWEEN 1 AND 200),
  created_at   timestamptz NOT NULL DEFAULT now(),
  destroyed_at timestamptz,
  reason       text CHECK (octet_length(reason) <= 200),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL)),
  CHECK ((wrapped IS NULL) = (kek_version IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20);

CREATE INDEX IF NOT EXISTS keys_by_version ON vault.keys (kek_version, request_id) WHERE wrapped IS NOT NULL;

CREATE OR REPLACE FUNCTION vault.create_keys(p_ids uuid[], p_wrapped bytea[], p_versions text[])
RETURNS TABLE (request_id uuid, wrapped bytea, kek_version text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- In id order, so that two batches which share requests cannot lock each other out.
  INSERT INTO vault.keys AS k (request_id, wrapped, kek_version)
  SELECT new.id, new.blob, new.version FROM unnest(p_ids, p_wrapped, p_versions) AS new (id, blob, version)
  WHERE new.blob IS NOT NULL
  ORDER BY new.id
  ON CONFLICT ON CONSTRAINT keys_pkey DO NOTHING;
  RETURN QUERY SELECT k.request_id, k.wrapped, k.kek_version FROM vault.keys AS k WHERE k.request_id = ANY (p_ids);
END $$;

CREATE OR REPLACE FUNCTION vault.open_keys(p_ids uuid[])
RETURNS TABLE (request_id uuid, wrapped bytea, kek_version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.request_id, k.wrapped, k.kek_version FROM vault.keys AS k WHERE k.request_id = ANY (p_ids);
$$;

-- A request that never had a key gets a row all the same: a destroyed key can never be created.
CREATE OR REPLACE FUNCTION vault.destroy_keys(p_ids uuid[], p_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO vault.keys AS k (request_id, destroyed_at, reason)
  SELECT DISTINCT gone.id, now(), p_reason FROM unnest(p_ids) AS gone (id) ORDER BY gone.id
  ON CONFLICT ON CONSTRAINT keys_pkey DO UPDATE
  SET wrapped = NULL, kek_version = NULL, destroyed_at = excluded.destroyed_at, reason = excluded.reason
  WHERE k.destroyed_at IS NULL;
$$;

-- The same id as shared/vault/month_key.py computes.
CREATE OR REPLACE FUNCTION vault.month_key_id(p_month text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT encode(substring(sha256(convert_to('habeas dead letters ' || p_month, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid;
$$;

CREATE OR REPLACE FUNCTION vault.create_month_key(p_month text, p_wrapped bytea, p_version text)
RETURNS TABLE (request_id uuid, wrapped bytea, kek_version text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_month !~ '^[0-9]{4}-(0[1-9]|1[0-2])$' THEN
    RAISE EXCEPTION 'a month is written like 2026-01' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY SELECT * FROM
    vault.create_keys(ARRAY[vault.month_key_id(p_month)], ARRAY[p_wrapped], ARRAY[p_version]);
END $$;

CREATE OR REPLACE FUNCTION vault.stale_keys(p_version text, p_after uuid, p_limit integer)
RETURNS TABLE (request_id uuid, wrapped bytea, kek_version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.request_id, k.wrapped, k.kek_version FROM vault.keys AS k
  WHERE k.wrapped IS NOT NULL AND k.kek_version <> p_version AND k.request_id > p_after
  ORDER BY k.request_id LIMIT p_limit;
$$;

-- The old wrapping is named, so that a key destroyed in between stays destroyed.
CREATE OR REPLACE FUNCTION vault.rewrap_key(p_id uuid, p_old bytea, p_new bytea, p_version text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE vault.keys AS k SET wrapped = p_new, kek_version = p_version
  WHERE k.request_id = p_id AND k.wrapped = p_old;
  RETURN FOUND;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA vault FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault FROM PUBLIC;
