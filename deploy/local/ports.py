"""Free loopback ports given by the system; the same ones again after a restart when they are still free."""

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def choose(names: Sequence[str], before: Mapping[str, int], report: Callable[[str], None]) -> dict[str, int]:
    """One port for each name, all held open until the last is chosen so that no two are the same."""
    with ExitStack() as held:
        return {name: _one(name, before.get(name), held, report) for name in names}


def _one(name: str, wanted: int | None, held: ExitStack, report: Callable[[str], None]) -> int:
    if wanted is not None:
        taken = _bind(wanted, held)
        if taken is not None:
            return taken
    given = _bind(0, held)
    if given is None:
        raise OSError("no free port on the loopback address")
    if wanted is not None:
        report(
            f"Port {wanted}, which {name} had before, is taken by another program; it gets {given} instead."
        )
    return given


def _bind(port: int, held: ExitStack) -> int | None:
    sock = held.enter_context(socket.socket())
    # As the servers do: a port in TIME_WAIT is free, one with a listener is not.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((LOOPBACK, port))
    except OSError:
        return None
    return int(sock.getsockname()[1])
