"""Which PostgreSQL the stack uses: our own child process, or the user's server."""

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from deploy.local import postgres, probes
from deploy.local.errors import StackError
from deploy.local.pieces import Server
from deploy.local.state import State


def own() -> str:
    """The user's own database, or an empty text."""
    return os.environ.get("HABEAS_DATABASE_URL", "")


def own_address() -> str:
    """Its host and port, without user and password."""
    parts = urlsplit(own())
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}" if own() else ""


def check_own() -> None:
    if own() and not probes.listens(own_address()):
        raise StackError(
            f"Nothing answers at {own_address()}, which HABEAS_DATABASE_URL names; start it, or unset that."
        )


def port_names() -> list[str]:
    return [] if own() else ["postgres"]


def servers(state: State) -> Sequence[Server]:
    return [] if own() else [postgres.server(state)]


def url(state: State) -> str:
    return own() or postgres.url(state.home, state.ports["postgres"])
