from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.local.stack import StackInfo
from deploy.local.state import load
from shared.events.topics import TOPICS
from tests.support.installation import Installation, Installations
from tests.support.switch_proxy import SwitchProxy, switch_proxy

SERVICE_TOPICS = (
    "dsar.received",
    "dsar.verified",
    "dsar.closed",
    "dsar.commands.verification",
    "dsar.commands.intake",
)


@pytest.fixture
async def kernel(installations: Installations) -> Installation:
    """An installation with the topics that one service reads and writes."""
    topics = [
        topic for topic in TOPICS if topic.name in SERVICE_TOPICS or "journal.verification" in topic.name
    ]
    return await installations.make(topics=topics, partitions=3)


@pytest.fixture
async def pool(kernel: Installation) -> AsyncIterator[asyncpg.Pool]:
    async with kernel.pool("verification", size=8) as found:
        yield found


@pytest.fixture
async def kafka_switch(durable: StackInfo) -> AsyncIterator[SwitchProxy]:
    """The broker behind a switch; the bootstrap address is the switch's own port."""
    if not durable.kafka_proxied:
        pytest.skip("needs a broker of our own, which can be told to be reached through a proxy")
    host, _, port = durable.kafka_proxied[0].rpartition(":")
    advertised = load(durable.home).proxy_port
    assert advertised is not None
    async with switch_proxy(host, int(port), own_port=advertised) as proxy:
        yield proxy
