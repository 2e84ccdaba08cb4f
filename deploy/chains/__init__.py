"""The audit chains of all services: checked row by row, and anchored where nobody who owns the database can reach.

ADR 0018 says what an anchor is for.
"""
