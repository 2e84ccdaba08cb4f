"""The embedded stack: PostgreSQL, Kafka and a mail catcher as child processes on one machine."""
