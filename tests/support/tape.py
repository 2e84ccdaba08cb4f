"""Everything that the services say on their topics, recorded as it comes, for tests to wait for and to search."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.events.message import Body
from shared.events.topics import LIFECYCLE, SUBMISSIONS, TOPICS

B = TypeVar("B", bound=Body)
EVENT_TOPICS = {topic.name for topic in TOPICS if topic.kind == "event"}
LIFECYCLE_TOPICS = {topic.name for topic in LIFECYCLE}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Taped:
    """One record; `topic` is its declared name."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes

    def header(self, name: str) -> str:
        return next((value.decode("utf-8", "replace") for each, value in self.headers if each == name), "")

    @property
    def kind(self) -> str:
        return self.header("ce_type")

    @property
    def id(self) -> UUID:
        return UUID(self.header("ce_id"))

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value)
        return found

    def everything(self) -> bytes:
        """All bytes that anybody who reads the topic sees."""
        headers = b"\n".join(name.encode() + b": " + value for name, value in self.headers)
        return b"\n".join([self.key or b"", headers, self.value])


@dataclass
class Tape:
    """Follows every topic that an installation writes, from the beginning.

    `alarm` is called while something is waited for, and raises if nothing can come any more.
    """

    bootstrap: str
    namespace: str
    alarm: Callable[[], None] = lambda: None
    records: list[Taped] = field(default_factory=list)
    _told: dict[tuple[UUID, str], Taped] = field(default_factory=dict)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: "asyncio.Task[None] | None" = None

    async def start(self) -> None:
        consumer = AIOKafkaConsumer(
            *(self.namespace + topic.name for topic in TOPICS if topic != SUBMISSIONS),
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        self._reading = asyncio.get_running_loop().create_task(self._read(consumer))

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def find(self, request_id: UUID, kind: type[B]) -> B | None:
        """What an event of this kind first said about a request, if there is one."""
        found = self._told.get((request_id, kind.declared.ce_type))
        return None if found is None else kind.model_validate_json(found.value)

    async def wait(self, request_id: UUID, kind: type[B], *, within: float = 60) -> B:
        """The event of this kind about a request, once it is there."""
        found: B = await self.until(lambda: self.find(request_id, kind), within=within, what=kind.__name__)
        return found

    async def until(self, condition: Callable[[], Any], *, within: float = 60, what: str = "it") -> Any:
        """The condition's first truthy answer; it is asked again whenever records have come."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not (answer := condition()):
            self.alarm()
            if self._reading is not None and self._reading.done():
                self._reading.result()
            left = deadline - loop.time()
            assert left > 0, f"{what} did not happen within {within} s"
            self._came.clear()
            await asyncio.wait({loop.create_task(self._came.wait())}, timeout=min(left, 0.25))
        return answer

    def about(self, request_id: UUID) -> list[Taped]:
        """Every event about a request once, however often it was sent, in the order of each topic."""
        subject = str(request_id)
        known: dict[UUID, Taped] = {}
        for one in self.records:
            if one.topic in EVENT_TOPICS and one.header("ce_subject") == subject:
                known.setdefault(one.id, one)
        return list(known.values())

    def count(self, kind: type[Body]) -> int:
        """About how many requests an event of this kind was heard."""
        return sum(ce_type == kind.declared.ce_type for _, ce_type in self._told)

    def on(self, topic: str) -> Iterator[Taped]:
        return (one for one in self.records if one.topic == topic)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self._keep(self._taped(record))
                self._came.set()
        finally:
            await consumer.stop()

    def _taped(self, record: ConsumerRecord) -> Taped:
        topic = record.topic.removeprefix(self.namespace)
        headers = tuple(record.headers)
        return Taped(topic, record.partition, record.offset, record.key, headers, record.value or b"")

    def _keep(self, taped: Taped) -> None:
        self.records.append(taped)
        # A test may put anything on a topic: what names no request tells nothing of one.
        subject = taped.header("ce_subject")
        if taped.topic in EVENT_TOPICS and _UUID.fullmatch(subject):
            self._told.setdefault((UUID(subject), taped.kind), taped)
