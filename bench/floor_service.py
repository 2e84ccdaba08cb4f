"""One process of the floor: what a service reads and writes, moved by hand with aiokafka and asyncpg, and no more.

No validation, no cryptography, no decision, no gate: filler of the same lengths in the same rows and records. What
follows from what is the table `HOPS`; the lengths are those that a deletion was seen to have. A line on standard
output says that it reads; it ends with its standard input, whose first line says where everything is.

    echo '{"bootstrap": ..., "namespace": ..., "database": ..., "vault": ...}' | python -m bench.floor_service intake
"""

import asyncio
import json
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.floor_rows import CALLING, CLAIMED, DONE, FROZEN, KEYS, OUTBOX, PUBLISHED, RESULTS, Rows, month_of
from shared.clock import SystemClock
from shared.database import BY_INDEX

HEADERS = 9 * (("ce_header-name", b"x" * 24),)
BATCH = 500
CLOCK = SystemClock()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hop:
    """What one record, or one task that ended, leads to in a service."""

    sends: Sequence[tuple[str, str, int]] = ()
    tasks: Sequence[str] = ()
    also: Sequence[str] = ()


NOTICED = Hop(sends=(("dsar.journal.intake", "notice-sent", 142),))
LAST_NOTICED = Hop(sends=(("dsar.journal.intake", "answer-sent", 142),))
LAST_SETTLED = Hop(sends=(("dsar.fulfilled", "fulfilled", 912),), tasks=("suppressed",))
SUPPRESSED = Hop(sends=(("dsar.suppressed", "state", 230),), also=("suppressed",))
NOTED = Hop()
SYSTEMS = ("work", "work", "work")

HOPS: dict[str, dict[str, Hop]] = {
    "intake": {
        "submission": Hop(
            sends=(("dsar.received", "received", 1771), ("dsar.journal.intake", "accepted", 131)),
            tasks=("noticed",),
            also=("kept", "applied_commands", "vault"),
        ),
        "noticed": NOTICED,
        "verified": NOTED,
        "fulfilled": Hop(tasks=("answered",)),
        "answered": LAST_NOTICED,
        "closed": NOTED,
    },
    "verification": {
        "received": Hop(sends=(("dsar.verified", "verified", 276),)),
        "closed": NOTED,
    },
    "fulfillment": {
        "received": NOTED,
        "verified": Hop(
            sends=(("dsar.journal.fulfillment", "planned", 58),),
            tasks=("settled", "settled", "last-settled"),
            also=("kept", "open_subject"),
        ),
        "settled": NOTED,
        "last-settled": LAST_SETTLED,
        "suppressed": SUPPRESSED,
        "closed": Hop(also=("forget_subject",)),
    },
    "deadline": {
        "accepted": NOTED,
        "received": NOTED,
        "verified": NOTED,
        "notice-sent": NOTED,
        "planned": NOTED,
        "fulfilled": Hop(also=SYSTEMS),
        "answer-sent": Hop(sends=(("dsar.closed", "closed", 308),), tasks=("certified",)),
        "certified": Hop(also=("certificates",)),
    },
}
READS = {
    "intake": ("dsar.submissions", "dsar.verified", "dsar.fulfilled", "dsar.closed"),
    "verification": ("dsar.received", "dsar.closed"),
    "fulfillment": ("dsar.received", "dsar.verified", "dsar.closed"),
    "deadline": (
        "dsar.received",
        "dsar.verified",
        "dsar.fulfilled",
        "dsar.journal.intake",
        "dsar.journal.fulfillment",
    ),
}


@dataclass(slots=True)
class Floor:
    """One service's hands: a pool, a producer, and what waits to be worked on or sent."""

    service: str
    namespace: str
    pool: asyncpg.Pool
    vault: asyncpg.Pool
    producer: AIOKafkaProducer
    tasks: "asyncio.Queue[tuple[UUID, UUID, str]]" = field(default_factory=asyncio.Queue)
    outgoing: "asyncio.Queue[tuple[int, str, UUID, str, int]]" = field(default_factory=asyncio.Queue)

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Batch by batch: one transaction, then the offsets."""
        while True:
            batches = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            heard = [_heard(one) for records in batches.values() for one in records]
            mine = [(about, kind) for about, kind in heard if kind in HOPS[self.service]]
            if mine:
                await self.apply(mine)
            if heard:
                await consumer.commit()

    async def apply(self, heard: Sequence[tuple[UUID, str]], done: Sequence[UUID] = ()) -> None:
        """Write what follows from these in one transaction; then hand on its tasks and records."""
        rows = Rows(self.service, CLOCK.now())
        for about, kind in heard:
            rows.add(about, HOPS[self.service][kind])
        if rows.keys:
            await self.vault.execute(KEYS, rows.keys)
        async with self.pool.acquire() as connection, connection.transaction():
            for statement, columns in rows.statements():
                await connection.execute(statement, *columns)
            if done:
                await connection.execute(DONE, list(done), RESULTS[self.service])
            numbers = await connection.fetch(OUTBOX, *rows.outbox()) if rows.sends else ()
        for (number,), sent in zip(numbers, rows.sends, strict=True):
            self.outgoing.put_nowait((number, *sent))
        for task in rows.tasks:
            self.tasks.put_nowait(task)

    async def work(self) -> None:
        """Claim, say that the call begins, end: three writes to each task, many at a time."""
        while True:
            batch = await _all_of(self.tasks)
            ids = [task for task, _, _ in batch]
            await self.pool.execute(CLAIMED, ids)
            await self.pool.execute(CALLING, ids, FROZEN[self.service])
            await self.apply([(about, kind) for _, about, kind in batch], ids)

    async def relay(self) -> None:
        """Send, wait for the acknowledgements, mark."""
        while True:
            batch = await _all_of(self.outgoing)
            waiting = [
                await self.producer.send(
                    self.namespace + topic,
                    b"v" * size,
                    key=str(about).encode(),
                    headers=[("ce_subject", about.bytes), ("ce_type", kind.encode()), *HEADERS],
                )
                for _, topic, about, kind, size in batch
            ]
            await asyncio.gather(*waiting)
            await self.pool.execute(PUBLISHED, month_of(CLOCK.now()), [row for row, *_ in batch])


async def _all_of(queue: asyncio.Queue[T]) -> list[T]:
    batch = [await queue.get()]
    while not queue.empty() and len(batch) < BATCH:
        batch.append(queue.get_nowait())
    return batch


def _heard(record: Any) -> tuple[UUID, str]:
    headers = dict(record.headers)
    if record.topic.endswith("dsar.submissions"):
        return UUID(headers["ce_id"].decode()), "submission"
    return UUID(bytes=headers["ce_subject"]), headers["ce_type"].decode()


async def main(service: str) -> None:
    """Read until standard input ends."""
    given = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(given), sys.stdin)
    told = json.loads(await given.readline())
    bootstrap, namespace = told["bootstrap"], told["namespace"]
    async with AsyncExitStack() as rest:
        pool = await rest.enter_async_context(_pool(told["database"], service))
        keys = await rest.enter_async_context(_pool(told["vault"], "vault"))
        producer = await rest.enter_async_context(
            AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=2)
        )
        consumer = await rest.enter_async_context(
            AIOKafkaConsumer(
                *(namespace + topic for topic in READS[service]),
                bootstrap_servers=bootstrap,
                group_id=f"{namespace}{service}",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
            )
        )
        floor = Floor(service, namespace, pool, keys, producer)
        print("reads", flush=True)
        await _until_ended(given, floor.read(consumer), floor.work(), floor.relay())


def _pool(url: str, schema: str) -> asyncpg.pool.Pool:
    """The same plans by index as a service's own sessions make."""
    settings = {"search_path": schema, **BY_INDEX}
    return asyncpg.create_pool(url, min_size=2, max_size=6, reset=_as_it_is, server_settings=settings)


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    """As in a service: no round trip to undo what nobody did."""


async def _until_ended(given: asyncio.StreamReader, *works: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    running = [loop.create_task(one) for one in works]
    over = loop.create_task(given.read())
    await asyncio.wait([*running, over], return_when=asyncio.FIRST_COMPLETED)
    for one in running:
        if one.done():
            one.result()
        one.cancel()
    await asyncio.gather(*running, return_exceptions=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
