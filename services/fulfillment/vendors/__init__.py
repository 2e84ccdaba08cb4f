"""The companies that get people's data from the business: what their contracts make of them, and how they are told."""
