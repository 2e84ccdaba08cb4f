"""The real servers under the tests, started once, and any number of installations on them.

Which servers: those that HABEAS_KAFKA_BOOTSTRAP and HABEAS_DATABASE_URL name, containers if
HABEAS_TEST_STACK=containers, else the embedded stack in a folder that goes away.
"""

import os
import signal
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from deploy.local import brokers, databases, stack
from deploy.local.stack import StackInfo

_AT_ONCE = {"kafka": signal.SIGKILL, "postgres": signal.SIGQUIT}


@contextmanager
def running_stack(home: Path, *, brokers: int = 1) -> Iterator[StackInfo]:
    """Start what is not given, stop and remove it at the end; three brokers copy each other, and have no proxy."""
    with ExitStack() as rest:
        given: Mapping[str, str] = {}
        if os.environ.get("HABEAS_TEST_STACK") == "containers":
            given = rest.enter_context(_containers())
        rest.callback(_away, home)
        with patch.dict(os.environ, given):
            yield _elsewhere(home, brokers)


def outlives_the_tests() -> bool:
    """Whether the servers are somebody's own, who wants them back as they were."""
    return bool(databases.own() or brokers.own())


def _away(home: Path) -> None:
    """Nobody reads what these servers kept: they end at once, without checkpoints and controlled shutdowns."""
    for component in stack.status(home).components:
        sign = _AT_ONCE.get(component.name.partition("-")[0])
        if sign is not None and component.pid is not None and component.state == "running":
            os.kill(component.pid, sign)
    stack.reset(home)


def _elsewhere(home: Path, brokers: int) -> StackInfo:
    proxy = _free_port() if brokers == 1 else None
    # The stack's probes run an event loop of their own, and the caller's may be running.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(stack.up, home, brokers=brokers, kafka_proxy_port=proxy).result()


def _free_port() -> int:
    """Where a test may put a proxy before the broker, which tells those who come that way to use it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def _containers() -> Iterator[Mapping[str, str]]:
    """PostgreSQL and Kafka in containers, as the two variables that the stack reads."""
    from docker.errors import DockerException
    from testcontainers.community.kafka import KafkaContainer
    from testcontainers.community.postgres import PostgresContainer

    with ExitStack() as rest:
        try:
            postgres = rest.enter_context(PostgresContainer("postgres:18-alpine", driver=None))
            kafka = rest.enter_context(KafkaContainer("confluentinc/cp-kafka:7.9.0").with_kraft())
        except DockerException as reason:
            raise RuntimeError(
                "HABEAS_TEST_STACK=containers, but no Docker daemon answers; start it, or unset that."
            ) from reason
        yield {
            "HABEAS_DATABASE_URL": postgres.get_connection_url(),
            "HABEAS_KAFKA_BOOTSTRAP": kafka.get_bootstrap_server(),
        }
