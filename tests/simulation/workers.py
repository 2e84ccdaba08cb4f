"""One process of one service at work: production shell, relay, runner and subscriber over simulated ports."""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from shared.dead_letter_seal import DeadLetterSeal
from shared.events.topics import read_by
from shared.machine.admission import Admission
from shared.machine.batcher import Batcher
from shared.machine.parts import Parts, Result, Wrote
from shared.machine.shell import Shell
from shared.messaging import Intake
from shared.outbox.producer import NOT_TRIED, SENT, ProducerLost, Sending, Verdict
from shared.outbox.relay import Relay
from shared.tasks.runner import Runner
from shared.vault import Vault
from tests.simulation.databases import SeenOutbox, SeenStore, tasks_of
from tests.simulation.log import LogRecord, Partition
from tests.simulation.loop import PlainKek
from tests.simulation.points import Process
from tests.simulation.services import Keys, make

if TYPE_CHECKING:
    from tests.simulation.world import World

NO_ANSWER = Verdict("later", "NoAnswer")
Turn = Callable[[], Coroutine[Any, Any, Any]]


async def _at_once(_seconds: float) -> None:
    """When a reader goes on is the scheduler's choice: a breath for speed would only hide orders from it."""


class Worker:
    """What `shared.hosting.Host` puts together, with turns that the scheduler starts instead of loops."""

    def __init__(self, process: Process, world: "World") -> None:
        self.process = process
        self.world = world
        self.database = world.databases[process.service]
        self.topics = [topic.name for topic in read_by(process.service)]
        vault = Vault(Keys(process, world.keys), PlainKek(), monotonic=self._seconds)
        made = make(process, world, vault)
        self.shell: Shell[Any] = Shell(
            Parts(
                domain=made.domain,
                store=SeenStore(process, self.database, world.auditor),
                clock=world.clock,
                sealer=vault,
                dead_letters=DeadLetterSeal(vault),
                prepare=made.prepare,
                admit=Admission(lambda message: message.signature == "signed"),
                observer=self,
                facts=made.facts,
            )
        )
        self.batcher = Batcher(self.shell)
        self.relay = Relay(
            SeenOutbox(process, self.database.outbox, world.auditor),
            SimulatedProducer(process, world),
            owner=process.name,
            monotonic=self._seconds,
        )
        tasks = tasks_of(process, self.database, made.domain, world)
        self.runner = Runner(tasks, made.handlers, self.batcher, world.clock)
        self.subscriber = Intake(self.shell, lambda _seconds: None, pause=_at_once)
        self.handlers = frozenset(made.handlers)

    def committed(self, results: Sequence[Result], wrote: Wrote) -> None:
        """Nobody sleeps here, so nobody has to be woken."""

    def ready(self) -> dict[str, Turn]:
        """The turns that would find something to do, and are not under way."""
        if not self.process.alive:
            return {}
        turns: dict[str, tuple[bool, Turn]] = {
            "consume": (bool(self.world.log.lagging(self.process.service, self.topics)), self.consume),
            "relay": (self.database.outbox.has_heads, self.relay.turn),
            "tasks": (self._has_tasks(), self.runner.turn),
            "timers": (self._has_due(), self.shell.wake_due),
            "parked": (bool(self.database.tables.parked), self.shell.drain_parked),
        }
        return {
            name: turn for name, (found, turn) in turns.items() if found and name not in self.process.busy
        }

    async def consume(self) -> None:
        """Read a batch, apply it, commit its offsets: with some luck nobody else does so at the same time."""
        group, log, chance = self.process.service, self.world.log, self.world.chance
        partitions = log.lagging(group, self.topics)
        chance.shuffle(partitions)
        batch: list[LogRecord] = []
        ends: dict[Partition, int] = {}
        for partition in partitions[: chance.randint(1, 4)]:
            start = log.position(group, partition)
            records = log.partitions[partition][start : start + chance.randint(1, 6)]
            batch.extend(records)
            ends[partition] = start + len(records)
        await self.subscriber(batch)
        if await self.process.point("offsets.commit", "fail") == "go":
            log.committed.update({(group, partition): end for partition, end in ends.items()})

    def _has_tasks(self) -> bool:
        now, seconds = self.world.clock.now(), self.database.tables.seconds
        return any(
            (task.state in {"queued", "ambiguous"} and task.run_at <= now)
            or (task.lease_until is not None and task.lease_until < seconds)
            for task in self.database.tables.tasks.values()
        )

    def _has_due(self) -> bool:
        now = self.world.clock.now()
        cases = self.database.tables.cases.values()
        return any(row.wake_at is not None and row.wake_at <= now and not row.blocked for row in cases)

    def _seconds(self) -> float:
        return self.world.loop.seconds


class SimulatedProducer:
    """A Producer on the log: batches can be refused, cut in two, or arrive without our hearing of it."""

    def __init__(self, process: Process, world: "World") -> None:
        self._process = process
        self._world = world

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        fate = await self._process.point("producer.send", "fail", "lose", "other")
        if fate == "fail":
            raise ProducerLost
        if fate == "lose":
            self._arrive_unheard(records)
            return [NO_ANSWER] * len(records)
        sent = len(records) if fate == "go" else self._world.chance.randint(0, len(records))
        verdicts = [self._sent(record) for record in records[:sent]]
        await self._process.point("producer.sent")
        return verdicts + [NOT_TRIED] * (len(records) - sent)

    async def close(self) -> None:
        """Nothing is held."""

    def _sent(self, record: Sending) -> Verdict:
        if (record.topic, record.key) in self._world.unsendable:
            return Verdict("never", "TooLarge")
        self._world.publish(record)
        return SENT

    def _arrive_unheard(self, records: Sequence[Sending]) -> None:
        """Now, or after somebody has sent them again; a producer keeps the order of a partition."""
        records = [one for one in records if (one.topic, one.key) not in self._world.unsendable]
        if self._world.chance.random() < 0.5:
            for record in records:
                self._world.publish(record)
        else:
            self._world.late.append(list(records))
