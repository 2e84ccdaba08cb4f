CREATE TABLE contacts (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, first_name TEXT NOT NULL, sale_opt_out INTEGER NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX contacts_by_email ON contacts (lower(email));
CREATE TABLE activities (
  id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL REFERENCES contacts, campaign TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX activities_by_contact ON activities (contact_id);
