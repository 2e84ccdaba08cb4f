"""Fixtures for everybody: the real servers, started when the first test asks, and installations on them.

Plain code lies in tests/support; nothing is ever imported from a conftest.
"""

import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from deploy.local.stack import StackInfo
from tests.support.installation import Installation, Installations
from tests.support.stack import outlives_the_tests, running_stack

pytest_plugins = ["tests.support.gate", "tests.support.store_fixtures"]


def pytest_configure() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and every child of ours would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Failures that a test provokes are logged with their traceback; the pretty one takes a second each."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """One PostgreSQL, one broker and one mail catcher for the whole run."""
    with running_stack(tmp_path_factory.mktemp("servers") / ".habeas") as found:
        yield found


@pytest.fixture(scope="session")
async def installations(
    servers: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installations]:
    """Makes installations that know nothing of each other: `await installations.make(topics=...)`."""
    made = Installations(servers, tmp_path_factory.mktemp("installations"), tidy=outlives_the_tests())
    yield made
    await made.close()


@pytest.fixture
async def installation(installations: Installations) -> Installation:
    """A fresh one with all topics."""
    return await installations.make()


@pytest.fixture
def durable(servers: StackInfo) -> StackInfo:
    """The servers, where the broker keeps what it acknowledged; other brokers skip the test."""
    if "light" in servers.broker:
        pytest.skip("needs the real Apache Kafka; these tests run on " + servers.broker)
    return servers
