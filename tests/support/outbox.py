"""A service's outbox with records in it, and the relays that publish them."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord

from shared.machine.ports import OutboxRow, Writes
from shared.machine.storage import PostgresStore
from shared.outbox.producer import NO_TOPIC, SENT, KafkaProducer, Producer, Sending, Verdict
from shared.outbox.relay import Relay
from shared.outbox.storage import PostgresOutbox

MONTH = date(2026, 3, 1)


async def put(pool: asyncpg.Pool, rows: Sequence[OutboxRow]) -> None:
    """Leave these records behind, as a transaction of the shell would."""
    async with PostgresStore(pool).transaction() as transaction:
        await transaction.write(Writes(outbox=list(rows)))


def a_row(
    request_id: UUID, sequence: int | None, *, topic: str = "dsar.verified", value: bytes = b"v"
) -> OutboxRow:
    """A record that says which one of its request it is."""
    headers = {"ce_id": "1", "ce_sequence": str(sequence)}
    return OutboxRow(topic, str(request_id), headers, value, MONTH, request_id, sequence)


def a_relay(
    pool: asyncpg.Pool,
    producer: Producer,
    *,
    owner: str = "one",
    monotonic: Callable[[], float] = time.monotonic,
) -> Relay:
    return Relay(PostgresOutbox(pool), producer, owner=owner, monotonic=monotonic)


def a_producer(bootstrap: str, namespace: str = "") -> KafkaProducer:
    settings = {"bootstrap_servers": bootstrap, "client_id": "test-relay", "retry_backoff_ms": 50}
    return KafkaProducer(settings, namespace=namespace)


async def until_done(*relays: Relay, turns: int = 400) -> None:
    """Let the relays take turns until none of them finds anything."""
    for _ in range(turns):
        if not any([await relay.turn() for relay in relays]):
            return
    raise AssertionError("the outbox does not drain")


async def unpublished(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL"))


def firsts(records: Sequence[ConsumerRecord]) -> dict[bytes, list[int]]:
    """The sequences of each request in the order in which they came first."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        sequence = int(dict(record.headers)["ce_sequence"])
        if sequence not in found[record.key]:
            found[record.key].append(sequence)
    return found


class Recording:
    """A producer that acknowledges everything at once, and lets a test do something in between."""

    def __init__(self, meanwhile: Callable[[], Any] | None = None) -> None:
        self.sent: list[Sending] = []
        self._meanwhile = meanwhile

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        self.sent.extend(records)
        if self._meanwhile is not None:
            await self._meanwhile()
        return [Verdict("sent")] * len(records)

    async def close(self) -> None:
        """Nothing is open."""


class WithoutTopic:
    """A producer that finds one topic missing, and acknowledges what belongs to the others."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        return [NO_TOPIC if record.topic == self._topic else SENT for record in records]

    async def close(self) -> None:
        """Nothing is held."""
