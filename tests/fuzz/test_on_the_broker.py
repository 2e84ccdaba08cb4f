"""The same on the real broker and database: hostile records in every codec, and the good one behind is taken."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from shared.bounded_unpacking import MOST_UNPACKED
from shared.events.topics import SUBMISSIONS
from tests.support.hostile_records import HOSTILE_TEXTS, samples
from tests.support.installation import Installations
from tests.support.intake_host import IntakeHost, intake_host

pytestmark = pytest.mark.connected

CODECS = (None, "gzip", "snappy", "lz4", "zstd")
EACH = 60


@pytest.fixture(scope="module")
async def desk(installations: Installations) -> AsyncIterator[IntakeHost]:
    async with intake_host(await installations.make(partitions=1)) as running:
        yield running


@pytest.mark.parametrize("codec", CODECS)
async def test_behind_hostile_records_in_any_codec_a_good_one_is_taken(
    desk: IntakeHost, codec: str | None
) -> None:
    await _flood(desk, codec, Random(f"{codec}"))  # noqa: S311 - repeatable, not secret

    now = datetime.now(UTC).isoformat()  # noqa: TID251 - the service under test runs on the real clock
    claims = {"right": "delete", "residency": "US-CA", "email": "behind@example.com"}
    request_id = await desk.publish(uuid4().hex, {**claims, "channel": "phone", "received_at": now})

    assert (await desk.told(request_id, "dsar.request.received.v1"))["channel"] == "phone"
    assert not desk.host.subscription.ended


@pytest.mark.parametrize("codec", CODECS[1:])
async def test_a_batch_that_unfolds_beyond_bounds_is_one_letter_and_its_partition_moves_on(
    desk: IntakeHost, codec: str
) -> None:
    bomb = bytes(MOST_UNPACKED + 1)
    settings = desk.installation.settings
    before = await desk.letters("too_large_unpacked")
    # The client counts a record before it is packed; what it refuses, others send.
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        compression_type=codec,
        max_request_size=2 * len(bomb),
        max_batch_size=2 * len(bomb),
    )
    async with producer:
        for value in (b"before", bomb, b"after"):
            await producer.send_and_wait(settings.namespace + SUBMISSIONS.name, value, key=b"bomb")

    now = datetime.now(UTC).isoformat()  # noqa: TID251 - the service under test runs on the real clock
    claims = {"right": "delete", "residency": "US-CA", "email": "behind@example.com"}
    request_id = await desk.publish(uuid4().hex, {**claims, "channel": "phone", "received_at": now})

    assert (await desk.told(request_id, "dsar.request.received.v1"))["channel"] == "phone"
    assert await desk.letters("too_large_unpacked") == before + 1
    assert not desk.host.subscription.ended


async def _flood(desk: IntakeHost, codec: str | None, chance: Random) -> None:
    """Records of every type that intake reads, on the submissions' topic and with their headers and bodies mixed."""
    settings, texts = desk.installation.settings, [text.encode() for text in HOSTILE_TEXTS]
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, compression_type=codec)
    await producer.start()
    try:
        for _ in range(EACH):
            sample = chance.choice(samples("intake")).raw()
            headers = [(n, chance.choice([v, v, v, chance.choice(texts)])) for n, v in sample.headers]
            value = chance.choice([sample.value, chance.choice(texts), chance.randbytes(99), None])
            key = chance.choice([sample.key, chance.choice(texts), None])
            topic = chance.choice([sample.topic, SUBMISSIONS.name])
            await producer.send(
                settings.namespace + topic,
                value,
                key=key if value is not None else sample.key,
                headers=headers,
            )
        await producer.flush()
    finally:
        await producer.stop()
