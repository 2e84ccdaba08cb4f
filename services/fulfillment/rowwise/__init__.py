"""What the systems share that hand over whole rows, instead of answering queries: over HTTP, and in files."""
