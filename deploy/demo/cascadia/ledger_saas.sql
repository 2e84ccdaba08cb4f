-- What the simulated systems were told, and what came of it: every request that changes something, by row.
CREATE TABLE told (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
  table_name TEXT NOT NULL,
  verb TEXT NOT NULL,
  row_key TEXT NOT NULL,
  idempotency_key TEXT NOT NULL
);
CREATE TRIGGER told_kept BEFORE DELETE ON told BEGIN SELECT RAISE(ABORT, 'the ledger stays'); END;
CREATE TRIGGER told_fixed BEFORE UPDATE ON told BEGIN SELECT RAISE(ABORT, 'the ledger stays'); END;
