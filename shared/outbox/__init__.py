"""Only the relay publishes: rows that a transaction left behind go to Kafka from here, in order per request."""
