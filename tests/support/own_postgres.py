"""A real PostgreSQL for tests: the one that HABEAS_TEST_DATABASE_URL names, else one of our own."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from deploy.local import databases, ports
from deploy.local.pieces import ensure, halt
from deploy.local.places import prepare_home
from deploy.local.postgres import server, url
from deploy.local.postgres_files import remove_data
from deploy.local.state import load


@contextmanager
def own_postgres(home: Path) -> Iterator[str]:
    """Give the administrator's address; the server and its data are gone afterwards."""
    if given := os.environ.get("HABEAS_TEST_DATABASE_URL") or databases.own():
        yield given
        return
    state = load(prepare_home(home))
    state.ports.update(ports.choose(["postgres"], state.ports, lambda _sentence: None))
    with ThreadPoolExecutor(1) as pool:  # its probe runs a loop of its own, and the caller's may be running
        pool.submit(ensure, server(state), state).result()
    try:
        yield url(home, state.ports["postgres"])
    finally:
        halt("postgres", state)
        remove_data(home)
