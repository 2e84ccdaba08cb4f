"""Reads the event topics as an operations desk would, and knows where every request stands."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from shared.events.topics import LIFECYCLE, TOPICS

EVENTS = tuple(topic for topic in TOPICS if topic.kind == "event")
ANSWERS = {f"dsar.fulfillment.command-{word}.v1" for word in ("accepted", "refused")}
LOOK_SECONDS = 1.0
LIFECYCLE_NAMES = {topic.name for topic in LIFECYCLE}


@dataclass(slots=True)
class Seen:
    """What the topics have said of one request; `raw` is the bytes of its lifecycle events by id."""

    request_id: UUID
    right: str = ""
    channel: str = ""
    verified: str = ""
    resolution: str = ""
    extended: bool = False
    closed: dict[str, Any] | None = None
    planned: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    raw: dict[str, bytes] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """One word for where it stands."""
        if self.closed is not None:
            return "closed"
        if self.resolution:
            return "answering"
        if self.verified:
            return "in systems"
        return "verifying" if self.right else "arriving"


class Watch:
    """Follows the topics of one installation from the beginning."""

    def __init__(self, bootstrap: str, namespace: str = "") -> None:
        self._bootstrap = bootstrap
        self._namespace = namespace
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._known: set[UUID] = set()
        self.seen: dict[UUID, Seen] = {}
        self.refused: dict[UUID, dict[str, Any]] = {}
        self.by_hand: dict[tuple[UUID, str], str] = {}
        self.needs_person: dict[tuple[UUID, str], tuple[str, str]] = {}
        self.answered: dict[str, str] = {}
        self.refusals: dict[UUID, Counter[str]] = defaultdict(Counter)

    async def start(self) -> None:
        """Connect and begin to read."""
        consumer = AIOKafkaConsumer(
            *(self._namespace + topic.name for topic in EVENTS),
            bootstrap_servers=self._bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        self._task = asyncio.get_running_loop().create_task(self._read(consumer))

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, reached: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Wait for a state of the topics.

        Raises:
            TimeoutError: it was not reached; the text says what was waited for.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not reached():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
            await self._change(within=min(left, LOOK_SECONDS))

    async def whenever(self, reached: Callable[[], bool]) -> None:
        """Wait for a state of the topics for as long as it takes: whoever stays may come back the next day."""
        while not reached():
            await self._change(within=LOOK_SECONDS)

    async def _change(self, *, within: float) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), within)

    def closed(self) -> list[Seen]:
        """The requests that are closed."""
        return [one for one in self.seen.values() if one.closed is not None]

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        self._hear(record)
                self._changed.set()
        finally:
            await consumer.stop()

    def _hear(self, record: Any) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        message_id = UUID(headers["ce_id"])
        if message_id in self._known:
            return
        self._known.add(message_id)
        request_id = UUID(headers["ce_subject"])
        body = json.loads(record.value)
        kind = headers["ce_type"]
        if kind == "dsar.intake.submission-refused.v1":
            self.refused[request_id] = body
            return
        if kind == "dsar.fulfillment.task-needs-person.v1":
            self._needs_person(request_id, body)
        if kind in ANSWERS:
            self.answered[body["command_id"]] = body.get("reason", "accepted")
            self.refusals[request_id].update([body["reason"]] if "reason" in body else [])
        seen = self.seen.setdefault(request_id, Seen(request_id))
        seen.types.append(kind)
        if record.topic.removeprefix(self._namespace) in LIFECYCLE_NAMES:
            seen.raw[str(message_id)] = record.value
        if kind in _MEANS:
            _MEANS[kind](seen, body)

    def _needs_person(self, request_id: UUID, body: dict[str, Any]) -> None:
        self.needs_person[request_id, body["system"]] = (body["task"], body["kind"])
        if body["kind"] == "manual":
            self.by_hand[request_id, body["task"]] = body["reason"]


def _received(seen: Seen, body: dict[str, Any]) -> None:
    seen.right, seen.channel = body["right"], body["channel"]


def _verified(seen: Seen, body: dict[str, Any]) -> None:
    seen.verified = body["conclusion"]


def _fulfilled(seen: Seen, body: dict[str, Any]) -> None:
    seen.resolution = body["resolution"]


def _extended(seen: Seen, _body: dict[str, Any]) -> None:
    seen.extended = True


def _closed(seen: Seen, body: dict[str, Any]) -> None:
    seen.closed = body


def _planned(seen: Seen, body: dict[str, Any]) -> None:
    seen.planned.extend(body["systems"])


def _settled(seen: Seen, body: dict[str, Any]) -> None:
    seen.settled.append(body["settled"]["system"])


def _told(seen: Seen, body: dict[str, Any]) -> None:
    seen.notices.append(body["kind"])


_MEANS: dict[str, Callable[[Seen, dict[str, Any]], None]] = {
    "dsar.request.received.v1": _received,
    "dsar.request.verified.v1": _verified,
    "dsar.request.fulfilled.v1": _fulfilled,
    "dsar.deadline.extended.v1": _extended,
    "dsar.request.closed.v1": _closed,
    "dsar.fulfillment.tasks-planned.v1": _planned,
    "dsar.fulfillment.task-settled.v1": _settled,
    "dsar.intake.notice-sent.v1": _told,
}
