"""What the systems share that are told whom to forget, instead of being searched: webhooks, lists, OpenDSR."""
