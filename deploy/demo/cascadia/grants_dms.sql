-- Nothing is granted that could touch a sale, nor delete a customer or a vehicle that a sale refers to.
GRANT USAGE ON SCHEMA public TO habeas_cascadia_dms;
GRANT SELECT ON customers, vehicles, sales, service_visits, quotes TO habeas_cascadia_dms;
GRANT DELETE ON service_visits, quotes TO habeas_cascadia_dms;
GRANT UPDATE (customer_number, full_name, email, phone, driver_license) ON customers TO habeas_cascadia_dms;
GRANT UPDATE (license_plate, owner_id) ON vehicles TO habeas_cascadia_dms;
