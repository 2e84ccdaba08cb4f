"""Fulfillment with its rules, its handlers and memory systems in one place, its tasks run as the runner does.

`Crash` stands for kill -9: it is raised at a named point of an attempt and leaves the task as the database would.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from services.fulfillment.acting import ActHandler
from services.fulfillment.answer_files import AnswerFiles
from services.fulfillment.app import entry_of_vendor
from services.fulfillment.connected import Connected, Systems
from services.fulfillment.domain import Catalogue, Directive, FulfillmentCase, FulfillmentDomain
from services.fulfillment.exporting import ExportHandler
from services.fulfillment.joining import JoinHandler
from services.fulfillment.matching import MatchHandler
from services.fulfillment.packaging import PackageHandler
from services.fulfillment.subjects import Subjects
from services.fulfillment.telling import TellHandler
from services.fulfillment.vendors.classification import Classified
from shared.events.fulfillment import RequestFulfilled
from shared.keyfiles import KeyFiles
from shared.machine.decision import Go, Kept, Message, Stop, TaskFinished, TaskPlan, Wait
from shared.privacy import Claims
from shared.signing import KeyRing
from shared.tasks.permits import to_settle
from shared.tasks.work import Again, Answer, Claimed, Finished, Handler
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.facts import received
from tests.support.memory_vault import memory_vault

EMAIL = "ada.canary@example.com"
ANSWERS = KeyRing.generate()
OPEN = frozenset({"queued", "calling", "ambiguous", "needs_person"})


class Crash(BaseException):
    """The process was killed."""


@dataclass(slots=True)
class Held:
    """A task's row."""

    plan: TaskPlan
    state: str = "queued"
    run_at: datetime | None = None
    epoch: int = 0
    attempts: int = 0
    frozen: str | None = None
    frozen_id: UUID | None = None
    idempotency_key: str | None = None
    result: Mapping[str, Any] | None = None


class MemoryEnds:
    """How other requests ended."""

    def __init__(self) -> None:
        self.resolutions: dict[UUID, str] = {}

    async def resolution_of(self, request_id: UUID) -> str | None:
        return self.resolutions.get(request_id)


class Board:
    """One request with everything around it; `crash_at` names the next point at which the process dies."""

    def __init__(
        self, folder: Path, now: datetime, *connected: Connected, vendors: Sequence[Classified] = ()
    ) -> None:
        catalogue = Catalogue([*(each.entry for each in connected), *map(entry_of_vendor, vendors)])
        self.driver = DomainDriver[FulfillmentCase](FulfillmentDomain(catalogue), now)
        self.vendors = [each.vendor for each in vendors]
        self.keys = KeyFiles(folder / "keys")
        self.messages = Messages()
        self.connected = connected
        self.request_id = REQUEST
        self.vault = memory_vault()
        self.files = AnswerFiles(folder)
        self.ends = MemoryEnds()
        self.held: dict[str, Held] = {}
        self.answers: list[Answer] = []
        self.crash_at: str | None = None
        self.got_further: Counter[str] = Counter()
        self.during_call: Callable[[], None] | None = None
        self.handlers = self._handlers(Systems(connected))
        self._hurried = 0

    def restart(self, vendors: Sequence[Classified]) -> None:
        """The service starts anew, and other vendors are described by now."""
        catalogue = Catalogue([*(each.entry for each in self.connected), *map(entry_of_vendor, vendors)])
        self.driver.domain = FulfillmentDomain(catalogue)
        self.vendors = [each.vendor for each in vendors]
        self.handlers = self._handlers(Systems(self.connected))

    @property
    def case(self) -> FulfillmentCase:
        return self.driver.case

    @property
    def fulfilled(self) -> list[RequestFulfilled]:
        return self.driver.bodies(RequestFulfilled)

    async def directive_to(self, request_id: UUID, vendor: str) -> Directive | None:
        """What the case knows, as the store reads it."""
        del request_id
        return self.case.directive_to(vendor)

    def now(self) -> datetime:
        """The clock that the handlers read."""
        return self.driver.now

    async def of(self, request_id: UUID) -> Sequence[Kept]:
        """The kept fields, as the store reads them."""
        del request_id
        return list(self.driver.kept.values())

    async def receive(self, right: str = "delete", claims: Claims | None = None) -> None:
        """RequestReceived with claims sealed as intake seals them."""
        await self.vault.create([REQUEST])
        message = self.messages.event(received(right), at=self.now())
        plain = (claims or Claims(email=EMAIL)).to_bytes()
        sealed = self.vault.seal(REQUEST, message.id, "claims", plain)
        self.deliver(replace(message, body=received(right, claims=sealed)))

    def hear(self, body: Any, **facts: Any) -> None:
        """The next event of its topic."""
        self.deliver(self.messages.event(body, at=self.now()), **facts)

    def order(self, body: Any) -> str | None:
        """A command; its refusal."""
        return self.driver.deliver(self.messages.command(body, at=self.now())).refusal

    def deliver(self, message: Message, **facts: Any) -> None:
        self.driver.deliver(message, **facts)
        self.sync()

    def sync(self) -> None:
        """Take over planned and hurried tasks, as the store does within the transaction."""
        for key, plan in self.driver.tasks.items():
            self.held.setdefault(key, Held(plan))
        for key in self.driver.hurried[self._hurried :]:
            self._hurry(self.held[key])
        self._hurried = len(self.driver.hurried)

    async def run(self, key: str) -> str:
        """Claim a task and attempt it; its state afterwards."""
        self.sync()
        held = self.held[key]
        if held.state not in {"queued", "ambiguous"}:
            return held.state
        verdict = self.driver.permit(key)
        verdict = to_settle(verdict) if held.state == "ambiguous" else verdict
        if isinstance(verdict, Wait):
            held.run_at = verdict.until
            return held.state
        task = self._claim(key, held)
        if isinstance(verdict, Stop):
            return self._finish(task, held, Finished("canceled", {"reason": verdict.reason}))
        return await self._attempt(task, held)

    async def run_all(self, rounds: int = 20) -> None:
        """Run whatever can run until nothing changes; waits pass at once."""
        for _ in range(rounds):
            self.sync()
            due = [key for key, held in self.held.items() if held.state in {"queued", "ambiguous"}]
            if not due:
                return
            for key in due:
                await self.run(key)
            self.driver.now += timedelta(minutes=1)

    async def _attempt(self, task: Claimed, held: Held) -> str:
        call = _Call(self, task, held)
        try:
            answer = await self.handlers[task.handler].run(task, call)
            self.reach("before_finish")
        except Crash:
            self.crash_at = None
            held.state = "ambiguous" if held.state == "calling" else "queued"
            return held.state
        except Exception as error:  # noqa: BLE001 - as the runner does
            answer = Again(timedelta(seconds=2), type(error).__name__, ambiguous=call.made)
        self.answers.append(answer)
        if isinstance(answer, Finished):
            return self._finish(task, held, answer)
        held.state = "ambiguous" if answer.ambiguous else "queued"
        return held.state

    def _finish(self, task: Claimed, held: Held, finished: Finished) -> str:
        held.state, held.result = finished.status, finished.result
        body = TaskFinished(
            task_id=task.task_id,
            key=task.key,
            handler=task.handler,
            epoch=task.epoch,
            status=finished.status,
            result=dict(finished.result),
        )
        self.driver.local(body)
        self.sync()
        return held.state

    def _claim(self, key: str, held: Held) -> Claimed:
        held.epoch += 1
        held.attempts += 1
        settle = held.state == "ambiguous"
        held.state = "calling" if settle else "claimed"
        return Claimed(
            task_id=uuid5(REQUEST, key),
            request_id=REQUEST,
            key=key,
            handler=held.plan.handler,
            purpose=held.plan.purpose,
            body=held.plan.body,
            epoch=held.epoch,
            attempts=held.attempts,
            settle=settle,
            urgency=held.plan.urgency,
            frozen=held.frozen,
            frozen_id=held.frozen_id,
            idempotency_key=held.idempotency_key,
            goes_on=partial(self._goes_on, key),
        )

    async def _goes_on(self, key: str) -> None:
        self.got_further[key] += 1

    def _hurry(self, held: Held) -> None:
        if held.state == "needs_person":
            held.state = "queued" if held.frozen_id is None else "ambiguous"

    def reach(self, point: str) -> None:
        """Die here, if that was asked for."""
        if self.crash_at == point:
            raise Crash

    def _handlers(self, systems: Systems) -> Mapping[str, Handler]:
        subjects = Subjects(self, self.vault)
        return {
            "act": ActHandler(systems, subjects, self.vault, self),
            "export": ExportHandler(systems, subjects, (self.vault, self.files), self),
            "match": MatchHandler(systems, subjects, self.vault),
            "package": PackageHandler(subjects, (self.vault, self.files), ANSWERS, self),
            "join": JoinHandler(self.ends),
            "tell": TellHandler(self.vendors, subjects, self, self.keys, self),
        }


class _Call:
    def __init__(self, board: Board, task: Claimed, held: Held) -> None:
        self._board, self._task, self._held = board, task, held
        self.made = task.settle

    async def __call__(
        self,
        *,
        frozen: str | None = None,
        frozen_id: UUID | None = None,
        idempotency_key: str | None = None,
        about: Sequence[str] = (),
    ) -> bool:
        del about
        self._board.reach("before_calling")
        self.made = True
        if not isinstance(self._board.driver.permit(self._task.key), Go):
            return False
        held = self._held
        held.state = "calling"
        held.frozen, held.frozen_id = frozen or held.frozen, frozen_id or held.frozen_id
        held.idempotency_key = idempotency_key or held.idempotency_key
        self._board.reach("after_calling")
        if self._board.during_call is not None:
            during, self._board.during_call = self._board.during_call, None
            during()
        return True
