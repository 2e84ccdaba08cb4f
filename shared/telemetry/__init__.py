"""What a service tells of itself: structured logs, metrics from one typed list, health, trace context."""
