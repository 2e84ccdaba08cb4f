"""What lies on the topics: poison, records too large, everything three times, everything again from the beginning."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest

from shared.events.deadline import RequestClosed
from shared.events.envelope import Raw
from shared.events.fulfillment import TasksPlanned
from shared.events.topics import RECEIVED, SERVICES, read_by
from shared.outbox.shards import shard_of
from tests.faults.proxy import FaultProxy
from tests.faults.rest import at_rest, read_all
from tests.faults.trial import trial
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.installation import Installation, Installations
from tests.support.kafka_records import publish, rewind
from tests.support.machine import Machine, Upstream, request
from tests.support.reading import reading
from tests.support.requester import Requester
from tests.support.store_worlds import PostgresWorld

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

LARGE = """
INSERT INTO fulfillment.outbox (opened_month, shard, topic, key, request_id, headers, value)
SELECT opened_month, $1, 'dsar.fulfilled', request_id::text, request_id, '{}', decode(repeat('78', 1100000), 'hex')
FROM fulfillment.cases WHERE request_id = $2
"""
# What cannot be read is set aside, not given out again and again.
TOO_OFTEN = 5
TABLES = ("cases", "applied_commands", "parked", "kept", "audit", "outbox", "tasks", "dead_letters")
SUM = "(SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {service}.{table} t)"
POISON: tuple[tuple[bytes | None, bytes, dict[str, bytes | None]], ...] = (
    (b"a", b"{", {}),
    (b"a", b"\xff\xfe\x00", {}),
    (None, b"{}", {}),
    (b"a", b"{}", {"ce_type": b"dsar.request.received.v99"}),
    (b"a", b"{}", {"ce_type": b"dsar.of.nobody.v1"}),
    (b"a", b"{}", {"ce_id": b"\xff\xff"}),
    (b"a", b"{}", {"ce_subject": b"nobody"}),
    (b"a", b"{}", {"ce_sequence": None}),
)


@pytest.mark.timeout(240)
async def test_poison_becomes_dead_letters_and_stops_no_partition(world: World) -> None:
    running, upstream, deliveries = world.running, Upstream(), Deliveries()
    with deliveries.counted(world.kafka):
        async with trial(world, "poison on the topics") as found:
            await found.ask(4)
            before = await _dead(world)
            for key, value, headers in POISON:
                good = upstream.event(request(7))
                kept = [(name, headers.get(name, old)) for name, old in good.headers]
                named = ((n, v) for n, v in (*kept, deliveries.marker()) if v is not None)
                raw = Raw(good.topic, 0, 0, key, tuple(named), value)
                await publish(running.settings.kafka_bootstrap, running.settings.namespace, [raw])
                found.inject()
            await found.ask(4)

            async def all_dead() -> bool:
                return await _dead(world) - before == len(POISON) * len(RECEIVED.readers[:3])

            await eventually_async(all_dead, within=60)
    clients = [f"habeas-{service}" for service in RECEIVED.readers[:3]]
    numbers = [deliveries.number(client, marker) for client in clients for marker in deliveries.markers]
    assert all(1 <= number < TOO_OFTEN for number in numbers)


class Deliveries:
    """How often the broker handed each marked record to each reader, as seen on the wire."""

    def __init__(self) -> None:
        self.markers: list[bytes] = []
        self._heard: Counter[tuple[str, bytes]] = Counter()

    def marker(self) -> tuple[str, bytes]:
        """A header that no other record has."""
        self.markers.append(uuid4().hex.encode())
        return "marker", self.markers[-1]

    def number(self, client: str, marker: bytes) -> int:
        return self._heard[client, marker]

    @contextmanager
    def counted(self, kafka: FaultProxy) -> Iterator[None]:
        kafka.overhears = self._hear
        try:
            yield
        finally:
            kafka.overhears = lambda _who, _answer: None

    def _hear(self, who: str, answer: bytes) -> None:
        self._heard.update((who, marker) for marker in self.markers if marker in answer)


@pytest.mark.timeout(240)
async def test_an_event_that_no_broker_takes_holds_up_its_own_request_and_no_other(world: World) -> None:
    tape = world.running.tape
    async with (
        trial(world, "an event too large to send") as found,
        world.running.installation.admin() as admin,
    ):
        await world.systems.off()
        held = await found.ask_one("opt_out")
        await tape.wait(held.request_id, TasksPlanned)
        await admin.execute(LARGE, shard_of(str(held.request_id)), held.request_id)
        found.inject()
        await world.systems.on()
        others = await found.ask(4)

        await tape.until(lambda: _closed(world, others), within=100, what="the others' end")
        await eventually_async(lambda: _blocked(world), within=30)
        assert not _closed(world, [held])
        # What an operator does with a record that can never be sent.
        await admin.execute("DELETE FROM fulfillment.outbox WHERE blocked_at IS NOT NULL")
        found.lift()


async def _dead(world: World) -> int:
    counts = " + ".join(f"(SELECT count(*) FROM {service}.dead_letters)" for service in SERVICES)  # noqa: S608 - our own names
    ((number,),) = await world.rows(f"SELECT {counts}")
    return int(str(number))


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_everything_read_again_from_the_beginning_changes_no_row(world: World) -> None:
    running = world.running
    async with trial(world, "every group back at the earliest offset") as found:
        await found.ask(6)
        await running.tape.until(lambda: not found.in_flight, within=100, what="all closings")
        await at_rest(world)
        for service in SERVICES:
            await world.terminate(service)
        before, effects = await _sums(world), await (await running.town.audit()).effects()
        for service in SERVICES:
            for topic in read_by(service):
                group = f"{running.settings.namespace}habeas.{service}"
                await rewind(running.settings.kafka_bootstrap, group, running.settings.namespace + topic.name)
                found.inject()
        await running.start(*SERVICES)
        await eventually_async(lambda: read_all(world), within=60)

        assert await _sums(world) == before
        assert await (await running.town.audit()).effects() == effects


@pytest.fixture
async def kernel(fault_installations: Installations) -> Installation:
    return await fault_installations.make(partitions=3)


@pytest.mark.timeout(240)
async def test_events_that_come_three_times_shuffled_and_one_late_leave_the_same_cases(
    kernel: Installation,
) -> None:
    upstream, chance = Upstream(), random.Random(3)  # noqa: S311 - repeatable, not secret
    people = [request(number) for number in range(1, 31)]
    events = [upstream.event(one, f"w{number}") for number in range(6) for one in people]
    late = next(raw for raw in events if raw.key == str(people[0]).encode())
    shuffled = [raw for raw in events * 3 if raw is not late]
    chance.shuffle(shuffled)
    async with kernel.pool("verification", size=8) as pool, kernel.admin() as admin:
        machine = Machine(PostgresWorld(pool, admin, "verification"))
        async with reading(machine, kernel):
            for raw in shuffled:
                partition = chance.randrange(3)
                await publish(
                    kernel.settings.kafka_bootstrap, kernel.settings.namespace, [raw], partition=partition
                )
            await eventually_async(lambda: _heard(machine, people[1:], 6), within=60)
            assert (await machine.case(people[0])).heard == ()
            await publish(kernel.settings.kafka_bootstrap, kernel.settings.namespace, [late])
            await eventually_async(lambda: _heard(machine, people, 6), within=60)
        await machine.is_sound(*people)
        assert await machine.world.parked() == []


def _closed(world: World, requesters: Sequence[Requester]) -> bool:
    tape = world.running.tape
    return all(tape.find(one.request_id, RequestClosed) for one in requesters)


async def _blocked(world: World) -> bool:
    """Whether fulfillment's own gauge raises the alarm."""
    url = f"{world.services.url('fulfillment')}/metrics"
    return "habeas_outbox_blocked 1.0" in (await world.running.http.get(url)).text


async def _sums(world: World) -> list[tuple[object, ...]]:
    """A checksum of every table."""
    every = ", ".join(SUM.format(service=service, table=table) for service in SERVICES for table in TABLES)
    return await world.rows(f"SELECT {every}")


async def _heard(machine: Machine, people: Sequence[UUID], number: int) -> bool:
    return all([len((await machine.case(one)).heard) == number for one in people])
