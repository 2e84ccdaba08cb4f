-- Dealer management. A sale's papers stay five years (49 CFR 580.8); the rest need not.
CREATE TABLE customers (
  id bigint PRIMARY KEY,
  customer_number text UNIQUE,
  full_name text NOT NULL,
  email text,
  phone text,
  driver_license text,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON customers (lower(email));

CREATE TABLE vehicles (
  id bigint PRIMARY KEY,
  vin text NOT NULL UNIQUE,
  license_plate text,
  owner_id bigint REFERENCES customers,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON vehicles (owner_id);

CREATE TABLE sales (
  id bigint PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  vehicle_id bigint NOT NULL REFERENCES vehicles,
  buyer_name text NOT NULL,
  buyer_address text NOT NULL,
  odometer_miles integer NOT NULL,
  price numeric(10, 2) NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON sales (customer_id);

CREATE TABLE service_visits (
  id bigint PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  vehicle_id bigint NOT NULL REFERENCES vehicles,
  complaint text NOT NULL,
  total numeric(10, 2) NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON service_visits (customer_id);

CREATE TABLE quotes (
  id bigint PRIMARY KEY,
  customer_id bigint REFERENCES customers,
  email text,
  model text NOT NULL,
  amount numeric(10, 2) NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON quotes (customer_id);
CREATE INDEX ON quotes (lower(email));
