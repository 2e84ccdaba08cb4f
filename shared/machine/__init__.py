"""The one shell around every service's pure domain.

`decision` holds the pure words (a domain imports only that), `shell` runs a batch in one transaction, `gate` keeps
order, `ports` says what a store must do and `storage` does it in PostgreSQL.
"""
