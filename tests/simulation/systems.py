"""The businesses' systems and their rows, and how one process reaches them; the ledger is written where they act.

Three kinds: one whose rows can be read back, one that knows repeated orders by their key, one that knows nothing.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.fulfillment.connected import Connected
from services.fulfillment.ports import (
    Ambiguous,
    Capabilities,
    CheckReport,
    Export,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    Subject,
    TakesRows,
    Unknown,
)
from shared.tasks.work import Answer, Calling, Claimed, Handler
from tests.simulation.auditor import Act, Auditor
from tests.simulation.points import Process
from tests.support.memory_system import MemorySystem, Row, connected, memory_system, table

ATTEMPT: ContextVar[Claimed] = ContextVar("attempt")
SOON = timedelta(seconds=5)


class OrderDesk(MemorySystem):
    """Cannot be read back, but knows an order by its key: the same one again does nothing."""

    capabilities = Capabilities(
        idempotency_key=True, verify=False, naturally_idempotent=False, bounded_by_cutoff=True
    )

    def __init__(self, inner: MemorySystem) -> None:
        super().__init__(inner.name, inner.datamap, inner.rows)
        self.orders: dict[str, Outcome] = {}

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if idempotency_key not in self.orders:
            outcome = await super().act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)
            self.ledger[-1] = replace(self.ledger[-1], changed=max(1, self.ledger[-1].changed))
            self.orders[idempotency_key] = outcome
        return self.orders[idempotency_key]


class Legacy(MemorySystem):
    """Neither reads back nor knows an order again: whatever it is told it does."""

    capabilities = Capabilities(
        idempotency_key=False, verify=False, naturally_idempotent=False, bounded_by_cutoff=True
    )

    def __init__(self, inner: MemorySystem) -> None:
        super().__init__(inner.name, inner.datamap, inner.rows)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        outcome = await super().act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)
        self.ledger[-1] = replace(self.ledger[-1], changed=max(1, self.ledger[-1].changed))
        return outcome


class Business:
    """All systems of one business, and the people in them."""

    def __init__(self, people: int, *, legacy: bool) -> None:
        crm_tables = (table("people", "email", "customer_id", opt_out=True),)
        dms_tables = (table("deals", "customer_id"), table("invoices", "customer_id", retention="legal_duty"))
        self.systems: list[MemorySystem] = [
            memory_system("crm", tables=crm_tables),
            memory_system("dms", tables=dms_tables),
            OrderDesk(memory_system("mailing", tables=(table("members", "email"),))),
        ]
        if legacy:
            self.systems.append(Legacy(memory_system("legacy", tables=(table("cards", "email"),))))
        self._keys = 0
        for number in range(people):
            self.register(number)

    def register(self, number: int, at: datetime | None = None) -> None:
        """Rows about a person, in every system."""
        seeds = {"email": email(number), "customer_id": f"C{number}"}
        for system in self.systems:
            for name in system.datamap.collections:
                self._keys += 1
                row = Row(name, self._keys, seeds)
                system.rows.append(row if at is None else replace(row, created_at=at))

    def reached_by(self, process: Process, auditor: Auditor) -> list[Connected]:
        """The systems as one process's adapters reach them."""
        found = []
        for system in self.systems:
            seen = connected(system, identity_source=system.name == "crm")
            found.append(Connected(seen.entry, seen.datamap, Reached(process, system, auditor)))
        return found

    def everything(self) -> Mapping[str, Sequence[Row]]:
        return {system.name: tuple(system.rows) for system in self.systems}


class Reached:
    """An Adapter: the way to a system, on which everything can go wrong."""

    def __init__(self, process: Process, system: MemorySystem, auditor: Auditor) -> None:
        self._process = process
        self._system = system
        self._auditor = auditor
        self.capabilities = system.capabilities

    async def check(self) -> CheckReport:
        return await self._system.check()

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        trouble = await self._trouble("find")
        return trouble or await self._system.find(subject, cut_off=cut_off)

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        trouble = await self._trouble("export")
        return trouble or await self._system.export(
            frozen, cut_off=cut_off, since=since, specific=specific, taking=taking
        )

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        trouble = await self._trouble("act")
        if trouble is not None:
            return trouble
        task = ATTEMPT.get()
        self._auditor.acting(task, self._system.name, right)
        if self.capabilities.verify:
            self._auditor.unproved.add((task.request_id, self._system.name))
        before, calls = list(self._system.rows), len(self._system.ledger)
        outcome = await self._system.act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)
        gone = [row.created_at for row in before if row not in self._system.rows]
        for call in self._system.ledger[calls:]:
            act = Act(task.request_id, self._system.name, right, call.changed, idempotency_key)
            self._auditor.acted(act, max(gone, default=None))
        fate = await self._process.point("system.acted", "lose", "other")
        if fate == "lose":
            raise TimeoutError
        return Ambiguous("the answer could not be read") if fate == "other" else outcome

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        if await self._process.point("system.prove", "fail") == "fail":
            return Unknown("away")
        self._auditor.unproved.discard((ATTEMPT.get().request_id, self._system.name))
        return await self._system.prove(right, frozen, cut_off=cut_off)

    async def close(self) -> None:
        """Nothing is held."""

    async def _trouble(self, verb: str) -> Retry | NeedsPerson | None:
        fate = await self._process.point(f"system.{verb}", "fail", "lose", "other")
        if fate == "fail":
            raise ConnectionError("the system is away")
        if fate == "lose":
            return Retry(SOON, "busy")
        return NeedsPerson("credentials", "not let in") if fate == "other" else None


class Attended:
    """A handler, with its attempt known to whatever it calls."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        ATTEMPT.set(task)
        return await self._handler.run(task, calling)


def attended(handlers: Mapping[str, Handler]) -> dict[str, Any]:
    return {name: Attended(handler) for name, handler in handlers.items()}


def email(number: int) -> str:
    return f"person{number}@example.com"
