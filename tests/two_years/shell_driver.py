"""The driver of a domain behind the whole shell, over a store in memory: transactions, parked records, claimed tasks.

Slower than the others, so only some of the two years' requests are lived behind it; they must come out the same.
"""

from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.verification.domain import Findings
from shared.events.intake import RequestReceived
from shared.machine.decision import C, Context, Decision, Domain, Message, TaskFinished, TaskStatus
from shared.machine.parts import Parts, Result, Wrote
from shared.machine.ports import Transaction
from shared.machine.shell import Shell
from tests.support.domain_driver import REQUEST, DomainDriver, PretendedSealer, Sent, Step
from tests.support.memory_store import MemoryStore, TaskRow
from tests.support.proofs import CLAIMED

T = TypeVar("T")


class Unlocked(PretendedSealer):
    """Has every key."""

    async def prefetch(self, request_ids: Sequence[UUID]) -> None:
        """There is nothing to wait for."""


class NoLetters:
    """In these lives everything can be read and handled."""

    async def seal(self, raw: bytes, *, letter_id: UUID, now: datetime) -> str:
        raise AssertionError("a dead letter")


class ShellDriver(DomainDriver[C], Generic[C]):
    """One case of one service, its rows in a store of its own."""

    def __init__(self, domain: Domain[C], now: datetime, request_id: UUID = REQUEST) -> None:
        super().__init__(domain, now, request_id)
        self.store = MemoryStore()
        self._shell: Shell[C] = Shell(
            Parts(
                domain=_Overheard(domain, self.hurried),
                store=self.store,
                clock=_Clock(self),
                sealer=Unlocked(),
                dead_letters=NoLetters(),
                prepare=self._prepare,
                admit=lambda _message: None,
                observer=self,
                facts=self._facts,
            )
        )

    def deliver(self, message: Message, *, facts: Any = None) -> Step[C]:
        """Give it to the shell, and let what was parked follow, as after every batch of a topic."""
        if message.kind == "event" and message.sequence is not None:
            assert message.raw is not None, "only what lay on a topic can be parked"
        [result] = _done(self._shell.handle([message]))
        _done(self._shell.drain_parked())
        return self._told(result.status, result.refusal)

    def finish(self, key: str, status: TaskStatus = "done", **result: Any) -> Step[C]:
        """Claim the task as a runner does, and say how it ended."""
        task = self._claimed(key)
        body = TaskFinished(
            task_id=task.new.task_id,
            key=key,
            handler=task.new.plan.handler,
            epoch=task.epoch,
            status=status,
            result=result,
        )
        return self.local(body)

    def wake(self) -> Step[C]:
        """Let the timers look."""
        _done(self._shell.wake_due())
        step = self._told("applied", None)
        assert self.wake_at is None or self.wake_at > self.now, "a case that was woken must not be due again"
        return step

    def committed(self, results: Sequence[Result], wrote: Wrote) -> None:
        """What was written is found in the store."""

    async def _prepare(self, messages: Sequence[Message]) -> list[Any]:
        """What was parked comes back without what had been found of it."""
        return [
            Findings(claims=CLAIMED)
            if self.domain.name == "verification" and isinstance(message.body, RequestReceived)
            else None
            for message in messages
        ]

    async def _facts(self, transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, Any]:
        return {message.request_id: self.facts for message in messages}

    def _claimed(self, key: str) -> TaskRow:
        task = self.store.tables.task(self._row.request_id, key)
        assert task is not None, f"{key} was never planned"
        task.state, task.epoch = "calling", task.epoch + 1
        return task

    def _told(self, status: Any, refusal: str | None) -> Step[C]:
        """Take over what the transactions left in the tables."""
        tables = self.store.tables
        self._row = tables.cases.get(self._row.request_id, self._row)
        fresh, tables.unpublished = tables.unpublished, {}
        sent = tuple(Sent(self._decoded(row), row) for row in fresh.values())
        self.sent.extend(sent)
        for task in tables.tasks.values():
            self.tasks.setdefault(task.new.plan.key, task.new.plan)
        return Step(status, self.case, refusal, sent)


class _Overheard(Generic[C]):
    """A domain, and which tasks its decisions hurry: the store moves their rows, the life runs them."""

    def __init__(self, domain: Domain[C], hurried: list[str]) -> None:
        self.name, self.case_type, self.open, self.permit = (
            domain.name,
            domain.case_type,
            domain.open,
            domain.permit,
        )
        self._domain, self._hurried = domain, hurried

    def decide(self, case: C, message: Message, context: Context) -> Decision[C]:
        return self._heard(self._domain.decide(case, message, context))

    def wake(self, case: C, context: Context) -> Decision[C]:
        return self._heard(self._domain.wake(case, context))

    def _heard(self, decision: Decision[C]) -> Decision[C]:
        if decision.refusal is None:
            self._hurried.extend(decision.hurry)
        return decision


class _Clock(Generic[C]):
    """The driver's own time."""

    def __init__(self, driver: ShellDriver[C]) -> None:
        self._driver = driver

    def now(self) -> datetime:
        return self._driver.now


def _done(work: Coroutine[Any, Any, T]) -> T:
    """Run what waits for nobody to its end."""
    try:
        while True:
            work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
