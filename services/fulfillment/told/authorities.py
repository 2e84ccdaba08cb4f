"""Whom we believe when a system shows its certificate: the machine's authorities, read once for the process."""

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """For every client alike; to read the authorities takes longer than most calls."""
    return httpx2.create_ssl_context()
