"""`habeas recover`: a service's database was restored from a backup, and its topics know more than it does.

Its counters are lifted to the highest on its own topics, so that readers do not take what it says next for
something that they have heard. What its topics hold and the database does not is put back into the outbox, and not
said again when the same facts are decided anew. Every unfinished task may have been done: it is proved before it is
repeated. Then the group reads everything from the earliest record on; the gate knows what was applied.
"""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError

from deploy.topics import vendor_topics
from shared import audit
from shared.broker import ADMIN, broker_of, let_go
from shared.events.envelope import Raw
from shared.events.intake import RequestReceived, RequestWithdrawn
from shared.events.message import Event
from shared.events.topics import TOPICS, Topic, read_by
from shared.machine.decision import Message
from shared.machine.incoming import to_incoming
from shared.machine.ports import CaseRow, OutboxRow, Parked, ParkedKey, Writes
from shared.machine.repetition import counter_of
from shared.machine.storage import PostgresTransaction
from shared.private_files import read_private
from shared.settings import Settings
from shared.vault import PostgresKeys

AT_ONCE = 500
# Where a described group names its members: after error, name, state, protocol type and protocol.
_MEMBERS = 5
POLL_MS = 500
# What came in over HTTP lies nowhere but on intake's own topic.
CAME_IN_HERE = (RequestReceived, RequestWithdrawn)

_KNOWN = "SELECT request_id, sent FROM cases"
_UNFINISHED = """
UPDATE tasks SET state = 'ambiguous', epoch = epoch + 1, lease_until = NULL, hurried = false
WHERE state NOT IN ('done', 'canceled')"""
_DESTROYED = "SELECT request_id FROM deadline.tasks WHERE key = 'destroy_key' AND state = 'done'"
_PUBLISHED = """
UPDATE outbox o SET published_at = clock_timestamp() FROM unnest($1::text[], $2::uuid[], $3::int[])
  AS u(topic, request_id, sequence)
WHERE o.topic = u.topic AND o.request_id = u.request_id AND o.sequence = u.sequence AND o.published_at IS NULL"""


class CannotRecover(Exception):
    """Why a service cannot be recovered now; one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was put right."""

    service: str
    requests: int
    events: int
    tasks: int
    topics: int


@dataclass(slots=True)
class _Said:
    """Events of one request that the database does not know, in the order of each topic."""

    messages: list[Message] = field(default_factory=list)

    def lifted(self, row: CaseRow) -> CaseRow:
        """The case with its counters where its topics have them; what intake took in by itself comes again."""
        counted = Counter(
            name for one in self.messages if isinstance(one.body, Event) and (name := counter_of(one.body))
        )
        highest = {one.topic: one.sequence or 0 for one in self.messages}
        here = {
            one.topic: row.sent.get(one.topic, 0)
            for one in self.messages
            if isinstance(one.body, CAME_IN_HERE)
        }
        return replace(row, sent={**row.sent, **highest, **counted}, applied={**row.applied, **here})


async def recover(
    settings: Settings, connection: asyncpg.Connection, service: str, *, actor: str, now: datetime
) -> Recovered:
    """Make a restored service fit to start; safe to repeat.

    Raises:
        CannotRecover: the service runs.
        aiokafka.errors.KafkaError, asyncpg.PostgresError, OSError: a server is away or refuses.
    """
    if await _is_read(settings, _group(settings, service)):
        raise CannotRecover(f"{service} runs, or ran a moment ago; stop it, wait ten seconds, and try again")
    await connection.execute(f"SET search_path TO {service}")
    known = {row["request_id"]: json.loads(row["sent"]) for row in await connection.fetch(_KNOWN)}
    said = await _said(settings, service, known)
    ids = sorted(said)
    async with connection.transaction():
        for begin in range(0, len(ids), AT_ONCE):
            await _put_back(connection, {one: said[one] for one in ids[begin : begin + AT_ONCE]}, actor, now)
        tasks = int((await connection.execute(_UNFINISHED)).rpartition(" ")[2])
    topics = [*read_by(service), *await vendor_topics(settings, reader=service)]
    await _read_again(settings, service, topics)
    events = sum(len(one.messages) for one in said.values())
    return Recovered(service, len(ids), events, tasks, len(topics))


async def destroy_again(settings: Settings, connection: asyncpg.Connection) -> int:
    """A restored vault holds keys that were destroyed since its backup: destroy them again; how many are named.

    Raises:
        KeyFileRefused, asyncpg.PostgresError, OSError: the vault cannot be reached.
    """
    ids = [row["request_id"] for row in await connection.fetch(_DESTROYED)]
    vault = await asyncpg.connect(read_private(settings.vault_url_file("deadline")).decode())
    try:
        await PostgresKeys(vault).destroy(ids, "destroyed before the vault was restored")
    finally:
        await vault.close()
    return len(ids)


async def _said(
    settings: Settings, service: str, known: Mapping[UUID, Mapping[str, int]]
) -> dict[UUID, _Said]:
    own = [topic for topic in TOPICS if topic.kind == "event" and service in topic.writers]
    own += await vendor_topics(settings, writer=service)
    found: dict[UUID, _Said] = defaultdict(_Said)
    last = {
        (topic, request_id): number for request_id, sent in known.items() for topic, number in sent.items()
    }
    async for record in _everything(settings, own):
        message = to_incoming(_raw(record, settings.namespace))
        if not isinstance(message, Message) or message.sequence is None:
            continue
        place = (message.topic, message.request_id)
        # A duplicate of a relay that was killed is no second event.
        if message.sequence > last.get(place, 0):
            last[place] = message.sequence
            found[message.request_id].messages.append(message)
    return found


async def _put_back(
    connection: asyncpg.Connection, said: Mapping[UUID, _Said], actor: str, now: datetime
) -> None:
    transaction, writes = PostgresTransaction(connection), Writes()
    rows = await transaction.lock(list(said), now.date().replace(day=1))
    for request_id, one in said.items():
        row = one.lifted(rows[request_id])
        facts: dict[str, audit.Fact] = {"actor": actor, "events": len(one.messages)}
        entry = audit.append(row.head, audit.AuditEntry(request_id, now, "service.recovered", facts))
        writes.audit.append(entry)
        writes.cases.append(row.with_head(entry))
        writes.outbox += [_outbox_row(message, row) for message in one.messages]
        writes.parked += [_parked(one) for one in one.messages if isinstance(one.body, CAME_IN_HERE)]
    await transaction.write(writes)
    places = [(row.topic, row.request_id, row.sequence) for row in writes.outbox]
    await connection.execute(_PUBLISHED, *(list(column) for column in zip(*places, strict=True)))


def _outbox_row(message: Message, row: CaseRow) -> OutboxRow:
    """The record as it was written, for whoever wants it sent again."""
    raw = _raw_of(message)
    return OutboxRow(
        topic=message.topic,
        key=str(message.request_id),
        headers={name: (value or b"").decode() for name, value in raw.headers},
        value=raw.value,
        opened_month=row.opened_month,
        request_id=message.request_id,
        sequence=message.sequence,
    )


def _parked(message: Message) -> Parked:
    key = ParkedKey(message.request_id, message.topic, message.source, message.id)
    return Parked(key, message.sequence, _raw_of(message))


def _raw_of(message: Message) -> Raw:
    assert message.raw is not None  # noqa: S101 - it was read off a topic
    return message.raw


def _raw(record: ConsumerRecord, namespace: str) -> Raw:
    topic = record.topic.removeprefix(namespace)
    return Raw(topic, record.partition, record.offset, record.key, tuple(record.headers), record.value or b"")


async def _everything(settings: Settings, topics: Sequence[Topic]) -> AsyncIterator[ConsumerRecord]:
    """All records of these topics up to their present ends."""
    async with _consumer(settings, topics) as consumer:
        places = sorted(consumer.assignment())
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        while behind := [one for one in places if await consumer.position(one) < ends[one]]:
            for records in (await consumer.getmany(*behind, timeout_ms=POLL_MS)).values():
                for record in records:
                    yield record


async def _read_again(settings: Settings, service: str, topics: Sequence[Topic]) -> None:
    """Put the group back to the earliest record of everything that it reads."""
    async with _consumer(settings, topics) as consumer:
        earliest = await consumer.beginning_offsets(sorted(consumer.assignment()))
    async with _consumer(settings, (), group=_group(settings, service)) as member:
        member.assign(list(earliest))
        await member.commit(earliest)


def _group(settings: Settings, service: str) -> str:
    return f"{settings.namespace}habeas.{service}"


async def _is_read(settings: Settings, group: str) -> bool:
    """Whether the group has a member; one that was killed counts until its session has run out."""
    admin = AIOKafkaAdminClient(**broker_of(settings, ADMIN).client(), client_id="habeas-recover")
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([group])
    finally:
        await let_go(admin.close())
    return bool(answer.groups[0][_MEMBERS])


@asynccontextmanager
async def _consumer(
    settings: Settings, topics: Sequence[Topic], *, group: str | None = None
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *(settings.namespace + topic.name for topic in topics),
        **broker_of(settings, ADMIN).client(),
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        client_id="habeas-recover",
    )
    try:
        await _started(consumer)
        yield consumer
    finally:
        await let_go(consumer.stop())


async def _started(consumer: AIOKafkaConsumer) -> None:
    try:
        await consumer.start()
    except KafkaConnectionError:
        raise ConnectionError("the broker is away") from None
