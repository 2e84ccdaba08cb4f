"""Servers of their own for the fault tests, which restart them, and one world at work on them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.stack import StackInfo
from tests.faults.extent import FULL, PEOPLE
from tests.faults.world import World, fault_world
from tests.support.installation import Installations
from tests.support.stack import running_stack


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The gate runs a subset, last of all; `make faults` runs everything.

    Last, since the world at work lives until the session ends: its tasks and processes would be under every other test.
    """
    long = [] if FULL else [item for item in items if item.get_closest_marker("long") is not None]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    items.sort(key=lambda item: item.get_closest_marker("fault") is not None)


@pytest.fixture(scope="package")
def fault_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A PostgreSQL and a broker that nobody else uses."""
    with running_stack(tmp_path_factory.mktemp("faults") / ".habeas") as found:
        if not found.kafka_proxied or "light" in found.broker:
            pytest.skip("needs the real Apache Kafka, one of our own; these tests run on " + found.broker)
        yield found


@pytest.fixture(scope="package")
async def fault_installations(
    fault_servers: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installations]:
    made = Installations(fault_servers, tmp_path_factory.mktemp("fault-installations"), tidy=False)
    yield made
    await made.close()


@pytest.fixture(scope="package")
async def world(
    fault_servers: StackInfo,
    fault_installations: Installations,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """The four services at work, behind fault proxies."""
    folder = tmp_path_factory.mktemp("fault-world")
    async with fault_world(fault_servers, fault_installations, folder, PEOPLE) as found:
        yield found


@pytest.fixture(scope="package")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """Three brokers that copy each other."""
    with running_stack(tmp_path_factory.mktemp("three") / ".habeas", brokers=3) as found:
        yield found


@pytest.fixture(scope="package")
def on_three(three: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Installations:
    return Installations(three, tmp_path_factory.mktemp("three-installations"), tidy=False)


@pytest.fixture(scope="package")
async def replicated(
    three: StackInfo, on_three: Installations, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The four services at work on three brokers."""
    async with fault_world(three, on_three, tmp_path_factory.mktemp("three-world"), PEOPLE // 4) as found:
        yield found
