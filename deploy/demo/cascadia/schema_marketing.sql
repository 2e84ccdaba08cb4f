-- The marketing list. Times are ISO texts, as this tool writes them.
CREATE TABLE subscribers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE COLLATE NOCASE,
  first_name TEXT NOT NULL,
  unsubscribed INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
);

CREATE TABLE campaign_sends (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subscriber_id INTEGER NOT NULL REFERENCES subscribers,
  campaign TEXT NOT NULL,
  opened INTEGER NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX campaign_sends_of ON campaign_sends (subscriber_id);

CREATE TABLE ad_audience_members (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email_sha256 TEXT NOT NULL,
  audience TEXT NOT NULL,
  excluded INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
);
CREATE INDEX ad_audience_members_of ON ad_audience_members (email_sha256);
