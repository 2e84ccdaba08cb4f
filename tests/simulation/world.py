"""Everything that a simulation holds: the log, four databases, the outside, the people, and the processes."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.events.topics import SERVICES, TOPICS
from shared.outbox.producer import Sending
from tests.simulation.auditor import Auditor
from tests.simulation.databases import Database
from tests.simulation.log import Log, LogRecord
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import People
from tests.simulation.points import RUNNING_IN, Process, Waiting
from tests.simulation.systems import Business
from tests.simulation.workers import Worker
from tests.support.memory_vault import MemoryKeyStore

START = datetime(2026, 2, 2, 19, tzinfo=UTC)


class SimulatedClock:
    """The business's time runs with the loop's."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.seconds)


class World:
    """One installation, and what became of it."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random, *, people: int, legacy: bool) -> None:
        self.loop = loop
        self.chance = chance
        self.clock = SimulatedClock(loop)
        self.log = Log()
        self.databases = {service: Database() for service in SERVICES}
        self.auditor = Auditor(self._open_tasks)
        self.keys = MemoryKeyStore()
        self.files: dict[UUID, bytes] = {}
        self.late: list[list[Sending]] = []
        self.unsendable: set[tuple[str, str]] = set()
        self.business = Business(people, legacy=legacy)
        self.people = People(self)
        self.waiting: list[Waiting] = []
        self.errors: list[BaseException] = []
        self.workers: list[Worker] = []

    def begin(self, service: str, number: int) -> None:
        """Start a process, in the place of the one that was killed."""
        process = Process(service, number, self.waiting, failed=self._failed)
        self.workers = [one for one in self.workers if one.process.name != process.name]
        token = RUNNING_IN.set(process)
        try:
            self.workers.append(Worker(process, self))
        finally:
            RUNNING_IN.reset(token)

    def publish(self, record: Sending) -> None:
        """What a relay sent lies on its topic."""
        self._append(record.topic, record.key, json.loads(record.headers), record.value)

    def put(self, topic: str, key: str, headers: dict[str, str], value: bytes) -> None:
        """What somebody else sent lies on its topic."""
        self._append(topic, key, headers, value)

    def refuse_for_good(self) -> None:
        """From now on the broker takes no record of one topic about one request, as if all were too large."""
        requests = list(self.people.asked)
        if requests:
            topic = self.chance.choice([topic.name for topic in TOPICS if topic.kind == "event"])
            self.unsendable.add((topic, str(self.chance.choice(requests))))

    def blocked(self, request_id: UUID) -> bool:
        """Whether a record about a request was set aside, which raises an alert."""
        return any(
            row.request_id == request_id and number in database.outbox.blocked
            for database in self.databases.values()
            for number, row in database.outbox.unpublished
        )

    def unblock(self) -> None:
        """Staff have seen to what could not be sent."""
        self.unsendable.clear()
        for database in self.databases.values():
            database.outbox.blocked.clear()

    def pass_time(self, seconds: float) -> None:
        self.loop.seconds += seconds
        for database in self.databases.values():
            database.tables.seconds = self.loop.seconds

    def worker_of(self, service: str) -> Worker | None:
        alive = [one for one in self.workers if one.process.service == service and one.process.alive]
        return self.chance.choice(alive) if alive else None

    def snapshot(self) -> dict[str, Any]:
        """Every row of every table, and everything outside."""
        found: dict[str, Any] = {"rows": self.business.everything(), "ledger": list(self.auditor.ledger)}
        for service, database in self.databases.items():
            tables = database.tables
            found[service] = {
                "cases": dict(tables.cases),
                "outbox": dict(tables.outbox),
                "tasks": {key: (row.state, row.epoch, row.result) for key, row in tables.tasks.items()},
                "audit": dict(tables.audit),
                "commands": set(tables.commands),
                "kept": dict(tables.kept),
                "parked": dict(tables.parked),
                "dead": dict(tables.dead),
                "subjects": (dict(database.subjects.owners), dict(database.subjects.joined)),
            }
        return found

    def _open_tasks(self, request_id: UUID) -> list[str]:
        tasks = self.databases["fulfillment"].tables.tasks.values()
        mine = [task for task in tasks if task.new.request_id == request_id]
        return [task.new.plan.key for task in mine if task.state not in {"done", "canceled"}]

    def _append(self, topic: str, key: str, headers: dict[str, str], value: bytes) -> None:
        record: LogRecord = self.log.append(topic, key, headers, value)
        self.auditor.appended(record)

    def _failed(self, error: BaseException) -> None:
        self.errors.append(error)
