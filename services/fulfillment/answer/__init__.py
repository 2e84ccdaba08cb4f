"""The answer to a request to know, as the person receives it."""
