CREATE TABLE users (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, full_name TEXT NOT NULL, phone TEXT, created_at TEXT NOT NULL);
CREATE INDEX users_by_email ON users (lower(email));
CREATE TABLE tickets (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users, subject TEXT NOT NULL, body TEXT NOT NULL,
  created_at TEXT NOT NULL);
CREATE INDEX tickets_by_user ON tickets (user_id);
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, polls INTEGER NOT NULL DEFAULT 0,
  idempotency_key TEXT UNIQUE);
