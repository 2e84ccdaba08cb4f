"""What must never be otherwise, looked at as it happens; the ledger lies outside of everything that is simulated.

I1-I7 and G1-G4 name what is claimed of the outbox (I) and of a request (G); docs/invariants.md says them. Most hold at
every step and are looked at here; the others at rest, in rest.py. I6, that what was published costs nothing any more,
is a matter of speed, not of this.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from shared.events.catalogue import decode
from shared.events.commands import PlaceHold, ReleaseHold
from shared.events.intake import RequestWithdrawn
from shared.machine.ports import FinishedTask, OutboxRow, Writes
from shared.outbox.ports import Head
from shared.policy import Right
from shared.tasks.work import Claimed
from tests.simulation.log import LogRecord
from tests.simulation.stories import Stories
from tests.simulation.texts import says_its_text

DESTRUCTIVE = {Right.DELETE, Right.CORRECT}


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the ledger: one call that a system executed, and what it changed."""

    request_id: UUID
    system: str
    right: str
    changed: int
    idempotency_key: str


def unforgiving(check: Callable[..., None]) -> Callable[..., None]:
    """Production code survives whatever is raised inside of it: what an auditor found must not get lost there."""

    @wraps(check)
    def checked(auditor: "Auditor", *given: Any) -> None:
        try:
            check(auditor, *given)
        except AssertionError as error:
            auditor.broken.append(error)
            raise

    return checked


class Auditor:
    """Hears of every commit, every record and every call to the outside.

    `open_tasks` looks into fulfillment's table.
    """

    def __init__(self, open_tasks: Callable[[UUID], Sequence[str]]) -> None:
        self.broken: list[AssertionError] = []
        self._told = Stories(open_tasks)
        self.stories = self._told.all
        self.mailed = self._told.mailed
        self.leases: dict[tuple[str, int], tuple[int, str]] = {}
        self.unproved: set[tuple[UUID, str]] = set()
        self.ledger: list[Act] = []
        self.records: dict[str, LogRecord] = {}
        self.rows: set[tuple[str, str]] = set()
        self.applied: dict[tuple[str, UUID, str], int] = defaultdict(int)
        self.commands: set[tuple[str, UUID, str, str]] = set()
        self.first_seen: dict[tuple[str, str], int] = defaultdict(int)
        self.tickets: dict[tuple[UUID, int], bool] = {}
        self.dead = 0
        self._order = 0

    @unforgiving
    def committed(self, service: str, written: Sequence[Writes], finished: Sequence[FinishedTask]) -> None:
        """A transaction of a service became visible."""
        del finished
        for writes in written:
            for row in writes.outbox:
                self._stated(row)
            for entry in writes.audit:
                self._applied(service, entry.request_id, str(entry.facts["message_id"]), entry.facts)
            for case in writes.cases:
                assert says_its_text(service, case), (
                    f"{service} goes on with a case that its text does not say"
                )
            self.dead += len(writes.dead)

    @unforgiving
    def appended(self, record: LogRecord) -> None:
        """A record lies on its topic: I2, in order, and I7, committed before."""
        self.records.setdefault(_name(record.header("ce_source"), record.header("ce_id")), record)
        source, number = record.header("ce_source"), record.header("ce_id")
        if not source.startswith("habeas/") or source in {"habeas/cli", "habeas/console"}:
            return
        assert (source, number) in self.rows, f"I7: {record.topic} got what no transaction committed"
        sequence = record.header("ce_sequence")
        if not sequence:
            return
        key = (record.topic, record.key.decode())
        assert int(sequence) <= self.first_seen[key] + 1, f"I2: {record.topic} got {sequence} too early"
        self.first_seen[key] = max(self.first_seen[key], int(sequence))

    @unforgiving
    def leased(self, service: str, owner: str, epochs: Mapping[int, int]) -> None:
        """I4: each epoch of a shard has one owner, and a later owner a later epoch."""
        for shard, epoch in epochs.items():
            known, holder = self.leases.get((service, shard), (0, ""))
            assert epoch > known or (epoch, owner) == (known, holder), f"I4: two relays hold shard {shard}"
            self.leases[service, shard] = (epoch, owner)

    @unforgiving
    def marked(self, service: str, owner: str, heads: Sequence[Head], epochs: Mapping[int, int]) -> None:
        """I3: what is marked as published lies on its topic; I4: the latest epoch alone marks."""
        for head in heads:
            headers = json.loads(head.headers)
            name = _name(headers["ce_source"], headers["ce_id"])
            assert name in self.records, f"I3: {head.topic} was marked before it was published"
            mine = (epochs.get(head.shard), owner)
            assert mine == self.leases[service, head.shard], f"I4: a stale epoch marked {head.topic}"

    def may_call(self, task: Claimed) -> None:
        """CALLING was committed for this attempt; a hold or a withdrawal that came before forbids it."""
        story = self.stories[task.request_id]
        stops = bool(story.held) and task.purpose == "act" and _right(task.key) in DESTRUCTIVE
        stops = stops or (task.handler == "act" and story.stopped)
        self.tickets[task.task_id, task.epoch] = not stops

    @unforgiving
    def acting(self, task: Claimed, system: str, right: str) -> None:
        """G2 before a call: its intent was committed, the rules allowed it, and the person had been verified."""
        allowed = self.tickets.get((task.task_id, task.epoch))
        assert allowed is not None, f"{task.key} was called before CALLING was committed"
        assert allowed, f"{task.key} was called after a hold or a withdrawal was committed"
        assert (task.request_id, system) not in self.unproved, f"{task.key} was repeated without proof"
        verified = self.stories[task.request_id].verified
        assert verified is not None, f"{task.key} was called before verification had concluded"
        assert verified.conclusion != "failed", f"{task.key} was called for somebody unverified"
        assert verified.right == right, f"{task.key} does what was not verified"

    @unforgiving
    def acted(self, act: Act, newest: datetime | None) -> None:
        """G2 after a call: one effective execution per request and system, none on rows after the cut-off."""
        self.ledger.append(act)
        cut_off = self.stories[act.request_id].cut_off
        assert cut_off is not None
        assert newest is None or newest <= cut_off, f"{act.system} lost rows newer than the cut-off"
        mine = [one for one in self.ledger if (one.request_id, one.system) == (act.request_id, act.system)]
        assert sum(one.changed > 0 for one in mine) <= 1, f"G2: {act.system} was changed twice"

    def _stated(self, row: OutboxRow) -> None:
        self.rows.add((row.headers["ce_source"], row.headers["ce_id"]))
        if row.topic.startswith("dsar.dead-letters"):
            return
        body = decode(row.headers["ce_type"], row.value)
        assert row.request_id is not None
        self._told.tell(row.request_id, body)

    def _applied(self, service: str, request_id: UUID, message_id: str, facts: Any) -> None:
        """G3: each reader applies a topic's records about a request exactly once, in order, without a gap."""
        record = self.records.get(_name(str(facts["source"]), message_id))
        if record is None or "letter" in facts:
            return
        if not record.header("ce_sequence"):
            self._commanded(service, request_id, record, facts)
            return
        key = (service, request_id, record.topic)
        sequence = int(record.header("ce_sequence"))
        assert sequence == self.applied[key] + 1, (
            f"G3: {service} applied {record.topic} {sequence} out of order"
        )
        self.applied[key] = sequence
        if service == "fulfillment" and record.header("ce_type") == RequestWithdrawn.declared.ce_type:
            self.stories[request_id].stopped = True

    def _commanded(self, service: str, request_id: UUID, record: LogRecord, facts: Any) -> None:
        key = (service, request_id, record.header("ce_source"), record.header("ce_id"))
        assert key not in self.commands, f"{service} applied a command twice"
        self.commands.add(key)
        if "refusal" in facts:
            return
        body = decode(record.header("ce_type"), record.value)
        story = self.stories[request_id]
        if isinstance(body, PlaceHold):
            story.placed.add(body.hold_id)
        if isinstance(body, ReleaseHold):
            story.released.add(body.hold_id)


def _name(source: str, number: str) -> str:
    return f"{source} {number}"


def _right(key: str) -> str:
    return key.rpartition(":")[2]
