"""The services: each a state machine over its own cases, talking to the others through Kafka alone."""
