-- Customer relationship management. CRM is where Cascadia Motors knows who somebody is.
CREATE TABLE households (
  id bigint PRIMARY KEY,
  profile text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE contacts (
  id bigint PRIMARY KEY,
  customer_number text NOT NULL UNIQUE,
  household_id bigint REFERENCES households,
  first_name text NOT NULL,
  last_name text NOT NULL,
  email text NOT NULL,
  phone text,
  birth_date date,
  portal_password text,
  do_not_sell boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON contacts (lower(email));
CREATE INDEX ON contacts (household_id);

CREATE TABLE addresses (
  id bigint PRIMARY KEY,
  contact_id bigint NOT NULL REFERENCES contacts,
  street text NOT NULL,
  city text NOT NULL,
  postal_code text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON addresses (contact_id);

CREATE TABLE interactions (
  id bigint PRIMARY KEY,
  contact_id bigint NOT NULL REFERENCES contacts,
  channel text NOT NULL,
  summary text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON interactions (contact_id);

CREATE TABLE web_sessions (
  id uuid PRIMARY KEY,
  contact_id bigint REFERENCES contacts,
  ip_address inet NOT NULL,
  user_agent text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON web_sessions (contact_id);

CREATE TABLE page_views (
  id bigint PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES web_sessions,
  path text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON page_views (session_id);
