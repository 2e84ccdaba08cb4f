-- What is destroyed is written down by the database itself, by statement and also when no row was touched, in a
-- schema of a role that the adapter is not: it can neither read nor change what stands there.
CREATE SCHEMA ledger AUTHORIZATION cascadia_auditor;
REVOKE ALL ON SCHEMA ledger FROM PUBLIC;
SET ROLE cascadia_auditor;

CREATE TABLE ledger.effects (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  role name NOT NULL DEFAULT session_user,
  application text NOT NULL,
  idempotency_key text,
  table_name name NOT NULL,
  verb text NOT NULL,
  row_count bigint NOT NULL,
  row_keys text[] NOT NULL
);

CREATE FUNCTION ledger.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  INSERT INTO ledger.effects (application, idempotency_key, table_name, verb, row_count, row_keys)
  SELECT current_setting('application_name'), nullif(current_setting('habeas.idempotency_key', true), ''),
    TG_TABLE_NAME, TG_OP, count(*), coalesce(array_agg(affected.id::text), '{}') FROM affected;
  RETURN NULL;
END
$$;

CREATE FUNCTION ledger.record_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO ledger.effects (application, table_name, verb, row_count, row_keys)
  VALUES (current_setting('application_name'), TG_TABLE_NAME, TG_OP, -1, '{}');
  RETURN NULL;
END
$$;

RESET ROLE;

DO $$
DECLARE
  watched name;
BEGIN
  FOR watched IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('CREATE TRIGGER ledger_delete AFTER DELETE ON public.%I REFERENCING OLD TABLE AS affected
      FOR EACH STATEMENT EXECUTE FUNCTION ledger.record()', watched);
    EXECUTE format('CREATE TRIGGER ledger_update AFTER UPDATE ON public.%I REFERENCING OLD TABLE AS affected
      FOR EACH STATEMENT EXECUTE FUNCTION ledger.record()', watched);
    EXECUTE format('CREATE TRIGGER ledger_truncate AFTER TRUNCATE ON public.%I
      FOR EACH STATEMENT EXECUTE FUNCTION ledger.record_truncate()', watched);
    EXECUTE format('ALTER TABLE public.%I OWNER TO cascadia_owner', watched);
  END LOOP;
END
$$;
