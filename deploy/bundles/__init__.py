"""Everything that proves one closed request in one file, which anybody checks with the public key alone."""
