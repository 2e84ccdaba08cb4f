"""Hostile records on every topic that a service reads, and a request behind them that goes its whole way."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.serving import build_host
from shared.events.topics import SERVICES
from shared.hosting import Host
from tests.support.eventually import eventually_async
from tests.support.hostile_records import HOSTILE_TEXTS, samples
from tests.support.installation import Installation, Installations
from tests.support.intake_host import IntakeHost, intake_host

pytestmark = pytest.mark.connected

EACH = 150
_CLOSED = """
SELECT headers FROM outbox WHERE request_id = $1 AND topic = 'dsar.closed' AND published_at IS NOT NULL"""
_LETTERS = "SELECT count(*) FROM dead_letters"


@pytest.fixture
async def installation(installations: Installations) -> Installation:
    return await installations.make(partitions=1)


@pytest.fixture
async def services(installation: Installation) -> AsyncIterator[dict[str, Host]]:
    """The three beside intake."""
    async with AsyncExitStack() as stack:
        hosts = dict[str, Host]()
        for name in SERVICES[1:]:
            hosts[name] = await build_host(installation.settings, name, stack)
            await hosts[name].start()
            stack.push_async_callback(hosts[name].stop)
        yield hosts


@pytest.fixture
async def desk(installation: Installation) -> AsyncIterator[IntakeHost]:
    async with intake_host(installation) as running:
        yield running


async def test_behind_hostile_records_on_every_topic_a_request_goes_its_whole_way(
    desk: IntakeHost, services: dict[str, Host]
) -> None:
    for service in SERVICES:
        await _flood(desk.installation, service, Random(service))  # noqa: S311 - repeatable, not secret

    now = datetime.now(UTC).isoformat()  # noqa: TID251 - the services under test run on the real clock
    claims = {"right": "opt_out", "residency": "US-CA", "email": "behind@example.com"}
    submission = uuid4().hex
    request_id = await desk.publish(submission, {**claims, "channel": "phone", "received_at": now})
    # The sample's systems are not there: whoever asked takes it back, which goes through all four services.
    await desk.publish(submission, None)

    await eventually_async(lambda: _closed(services["deadline"], request_id), within=40)
    for name, host in {"intake": desk.host, **services}.items():
        assert not host.subscription.ended, name
        assert await host.resources.pool.fetchval(_LETTERS) > 0, name


async def _closed(deadline: Host, request_id: str) -> list[object]:
    return list(await deadline.resources.pool.fetch(_CLOSED, UUID(request_id)))


async def _flood(installation: Installation, service: str, chance: Random) -> None:
    """Records of all types that the service reads, whole and broken, on each of its topics."""
    settings, texts = installation.settings, [text.encode() for text in HOSTILE_TEXTS]
    known = [sample.raw() for sample in samples(service)]
    topics = sorted({raw.topic for raw in known})
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        for _ in range(EACH):
            raw = chance.choice(known)
            headers = [(name, chance.choice([value] * 9 + texts[:3])) for name, value in raw.headers]
            await producer.send(
                settings.namespace + chance.choice([raw.topic, raw.topic, *topics]),
                chance.choice([raw.value, raw.value[:-9], chance.choice(texts), chance.randbytes(99), b""]),
                key=chance.choice([raw.key, raw.key, chance.choice(texts), None]),
                headers=headers,
            )
        await producer.flush()
