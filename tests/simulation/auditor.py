"""What must never be otherwise, looked at as it happens; the ledger lies outside of everything that is simulated.

I1-I7 and G1-G4 are the names of the invariants in the notes on reliability: what reached a topic (I), what became
of a request (G).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from shared.events.catalogue import decode
from shared.events.commands import PlaceHold, ReleaseHold
from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.fulfillment import RequestFulfilled
from shared.events.intake import NoticeSent, RequestReceived, RequestWithdrawn
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.machine.ports import FinishedTask, OutboxRow, Writes
from shared.outbox.ports import Head
from shared.policy import Right, compute_clocks, load_regime
from shared.tasks.work import Claimed
from tests.simulation.log import LogRecord

ANSWERS = {"answer", "denial", "withdrawal"}
DESTRUCTIVE = {Right.DELETE, Right.CORRECT}
PROVED = {"verified", "downgraded"}


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the ledger: one call that a system executed, and what it changed."""

    request_id: UUID
    system: str
    right: str
    changed: int
    idempotency_key: str


@dataclass
class Story:
    """What was committed about one request, by anybody."""

    received: RequestReceived | None = None
    withdrawn: RequestWithdrawn | None = None
    verified: VerificationConcluded | None = None
    fulfilled: list[RequestFulfilled] = field(default_factory=list)
    extended: list[DeadlineExtended] = field(default_factory=list)
    closed: list[RequestClosed] = field(default_factory=list)
    notices: list[NoticeSent] = field(default_factory=list)
    held: set[UUID] = field(default_factory=set)
    stopped: bool = False

    @property
    def cut_off(self) -> datetime | None:
        if self.verified is not None and self.verified.conclusion in PROVED:
            return self.verified.concluded_at
        return self.received.received_at if self.received else None


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
        self._open_tasks = open_tasks
        self.unproved: set[tuple[UUID, str]] = set()
        self.stories: dict[UUID, Story] = defaultdict(Story)
        self.ledger: list[Act] = []
        self.records: dict[str, LogRecord] = {}
        self.rows: set[tuple[str, str]] = set()
        self.applied: dict[tuple[str, UUID, str], int] = defaultdict(int)
        self.commands: set[tuple[str, UUID, str, str]] = set()
        self.first_seen: dict[tuple[str, str], int] = defaultdict(int)
        self.tickets: dict[tuple[UUID, int], bool] = {}
        self.mailed: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
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
    def marked(self, heads: Sequence[Head]) -> None:
        """I3: what is marked as published lies on its topic."""
        for head in heads:
            headers = json.loads(head.headers)
            name = _name(headers["ce_source"], headers["ce_id"])
            assert name in self.records, f"I3: {head.topic} was marked before it was published"

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
        self._told(row.request_id, self.stories[row.request_id], body)

    def _told(self, request_id: UUID, story: Story, body: Body) -> None:
        match body:
            case RequestReceived():
                self._received(story, body)
            case RequestWithdrawn():
                assert story.withdrawn is None, "a request was withdrawn twice"
                story.withdrawn = body
            case VerificationConcluded():
                assert story.verified is None, "verification concluded twice"
                story.verified = body
            case NoticeSent():
                story.notices.append(body)
                answers = [one for one in story.notices if one.kind in ANSWERS]
                assert len(answers) <= 1, "a request was answered twice"
            case _:
                self._ending(request_id, story, body)

    def _ending(self, request_id: UUID, story: Story, body: Body) -> None:
        match body:
            case DeadlineExtended():
                self._extended(story, body)
            case RequestFulfilled():
                story.fulfilled.append(body)
                assert not self._open_tasks(request_id), "a request was fulfilled with a task open"
                assert len(story.fulfilled) == 1, "a request was fulfilled twice"
            case RequestClosed():
                self._closed(story, body)

    def _received(self, story: Story, body: RequestReceived) -> None:
        assert story.received is None, "a request was received twice"
        clocks = compute_clocks(load_regime(body.regime), body.right, body.received_at)
        assert body.clocks == clocks, "a clock is not what the law says"
        story.received = body

    def _extended(self, story: Story, body: DeadlineExtended) -> None:
        """A date moves once, to the lawful day, on a notice that really went out before the first one had passed."""
        story.extended.append(body)
        assert len(story.extended) == 1, "a date was moved twice"
        assert story.received is not None
        clocks = story.received.clocks
        assert clocks.respond_by is not None, "a right without a date was extended"
        assert body.respond_by == clocks.extend_to, "a date was moved to another day than the law's"
        assert body.notice_handed_over_at < clocks.respond_by.late_from, "an extension was told too late"
        told = [one for one in story.notices if one.kind == "extension"]
        assert body.notice_handed_over_at in {one.handed_over_at for one in told}, "no notice moved this date"
        for one in told:
            self._handed_over(one)

    def _closed(self, story: Story, body: RequestClosed) -> None:
        """Closed implies fulfilled, an answer, and that the answer really left."""
        story.closed.append(body)
        assert len(story.closed) == 1, "a request was closed twice"
        assert story.fulfilled, "a request was closed unfulfilled"
        answers = [one for one in story.notices if one.kind in ANSWERS]
        assert answers, "a request was closed without an answer"
        for one in answers:
            self._handed_over(one)
        assert body.resolution == story.fulfilled[0].resolution

    def _handed_over(self, notice: NoticeSent) -> None:
        at = [at for at, _ in self.mailed[str(notice.notice_id)]]
        assert notice.handed_over_at in at, f"no mail server took the notice {notice.kind}"

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
        held = self.stories[request_id].held
        if isinstance(body, PlaceHold):
            held.add(body.hold_id)
        if isinstance(body, ReleaseHold):
            held.discard(body.hold_id)


def _name(source: str, number: str) -> str:
    return f"{source} {number}"


def _right(key: str) -> str:
    return key.rpartition(":")[2]
