-- The adapter may read what its map names, delete what may go, set the one flag, and correct a first name.
GRANT USAGE ON SCHEMA public TO habeas_cascadia_crm;
GRANT SELECT, DELETE ON households, contacts, addresses, interactions, web_sessions, page_views
  TO habeas_cascadia_crm;
GRANT UPDATE (do_not_sell, first_name) ON contacts TO habeas_cascadia_crm;
