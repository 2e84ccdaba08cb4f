"""Where a system is: one origin, over TLS unless it is this machine; no answer leads away from it."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

from jinja2 import TemplateError

from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.templates import compiled


def base_address(stated: str, settings: Mapping[str, Any]) -> str:
    """The base address with the system file's settings filled in, without a slash at its end.

    Raises:
        Failure: it is no address over TLS; http is allowed for this machine alone.
    """
    try:
        filled = str(compiled(stated)({"settings": settings})).rstrip("/")
        parts = urlsplit(filled)
        host = parts.hostname or ""
    except (TemplateError, ValueError):
        raise Failure("credentials", "the address of the system cannot be read") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    if not safe or not host or parts.username or parts.query or parts.fragment:
        raise Failure("credentials", "the address of the system must be https://HOST, without user or query")
    return filled


def same_origin(base: str, address: str) -> str | None:
    """The address' path and query below the base, or None where it is another host's."""
    here, there = urlsplit(base), urlsplit(urljoin(base + "/", address))
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        return None
    path = there.path.removeprefix(here.path) or "/"
    return f"{path}?{there.query}" if there.query else path


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
