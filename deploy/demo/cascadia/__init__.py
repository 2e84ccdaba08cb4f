"""Cascadia Motors, the sample business: three real systems, generated people, a ledger and an auditor of its own."""
