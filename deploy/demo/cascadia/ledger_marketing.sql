-- SQLite has neither roles nor statement triggers: the ledger is written by row, so it cannot show a statement that
-- touched none, and it is guarded by triggers instead of ownership.
CREATE TABLE ledger_effects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
  table_name TEXT NOT NULL,
  verb TEXT NOT NULL,
  row_key TEXT NOT NULL
);
CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger_effects BEGIN SELECT RAISE(ABORT, 'the ledger stays'); END;
CREATE TRIGGER ledger_fixed BEFORE UPDATE ON ledger_effects BEGIN SELECT RAISE(ABORT, 'the ledger stays'); END;

CREATE TRIGGER subscribers_deleted AFTER DELETE ON subscribers BEGIN
  INSERT INTO ledger_effects (table_name, verb, row_key) VALUES ('subscribers', 'DELETE', OLD.id); END;
CREATE TRIGGER subscribers_updated AFTER UPDATE ON subscribers BEGIN
  INSERT INTO ledger_effects (table_name, verb, row_key) VALUES ('subscribers', 'UPDATE', OLD.id); END;
CREATE TRIGGER campaign_sends_deleted AFTER DELETE ON campaign_sends BEGIN
  INSERT INTO ledger_effects (table_name, verb, row_key) VALUES ('campaign_sends', 'DELETE', OLD.id); END;
CREATE TRIGGER campaign_sends_updated AFTER UPDATE ON campaign_sends BEGIN
  INSERT INTO ledger_effects (table_name, verb, row_key) VALUES ('campaign_sends', 'UPDATE', OLD.id); END;
CREATE TRIGGER ad_audience_members_deleted AFTER DELETE ON ad_audience_members BEGIN
  INSERT INTO ledger_effects (table_name, verb, row_key) VALUES ('ad_audience_members', 'DELETE', OLD.id); END;
CREATE TRIGGER ad_audience_members_updated AFTER UPDATE ON ad_audience_members BEGIN
  INSERT INTO ledger_effects (table_name, verb, row_key) VALUES ('ad_audience_members', 'UPDATE', OLD.id); END;
