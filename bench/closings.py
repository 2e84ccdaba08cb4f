"""The bench's own consumer: when was each RequestClosed seen on its topic, and how did the request end."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from shared.events.topics import CLOSED


@dataclass(frozen=True, slots=True)
class Closing:
    """When it was seen, on the loop's clock, and the resolution that it states."""

    at: float
    resolution: str


class Closings:
    """Follows `dsar.closed` from its beginning."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self._consumer = AIOKafkaConsumer(
            namespace + CLOSED.name,
            bootstrap_servers=bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self._task: asyncio.Task[None] | None = None
        self._more = asyncio.Event()
        self.seen: dict[UUID, Closing] = {}

    async def start(self) -> None:
        """Connect and begin to read."""
        await self._consumer.start()
        self._task = asyncio.get_running_loop().create_task(self._read())

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    async def all_of(self, wanted: Collection[UUID], *, seconds: float) -> None:
        """Wait until all of these are closed, each in the way that a deletion ends.

        Raises:
            TimeoutError: some are not; the text says how many.
            ValueError: one ended otherwise: what was measured is not the workload.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while missing := sum(one not in self.seen for one in wanted):
            self._more.clear()
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise TimeoutError(f"{missing} of {len(wanted)} requests were not closed in {seconds:.0f} s")
            try:
                await asyncio.wait_for(self._more.wait(), min(left, 1.0))
            except TimeoutError:
                continue
        odd = {self.seen[one].resolution for one in wanted} - {"complete"}
        if odd:
            raise ValueError(f"requests ended as {', '.join(sorted(odd))}, not as complete")

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batches = await self._consumer.getmany(timeout_ms=500)
            now = loop.time()
            for records in batches.values():
                for record in records:
                    self._hear(record, now)
            self._more.set()

    def _hear(self, record: Any, now: float) -> None:
        subject = UUID(dict(record.headers)["ce_subject"].decode())
        self.seen.setdefault(subject, Closing(now, json.loads(record.value)["resolution"]))
