"""Is this the person, may they ask this, to the degree that the right needs."""
