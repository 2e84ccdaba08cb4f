"""The adapter itself: each verb bounded, each expected failure made an answer."""

from dataclasses import replace
from datetime import datetime, timedelta

import httpx2

from services.fulfillment.adapters.http.acting import Bounds, Deletion, set_flags
from services.fulfillment.adapters.http.changing import PARTLY, Effects, NotAll
from services.fulfillment.adapters.http.client import Client
from services.fulfillment.adapters.http.connector import Connector
from services.fulfillment.adapters.http.correcting import set_right
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.inspection import inspect, knock, nobody_by_404
from services.fulfillment.adapters.http.readback import Jobs, read_back
from services.fulfillment.adapters.http.reading import read_connector
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.graph import plan_walk
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    CheckReport,
    DatasetCount,
    Done,
    Export,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Receipt,
    Retry,
    StillPresent,
    Subject,
    TakesRows,
    Unknown,
)
from services.fulfillment.rowwise.correcting import in_dispute
from services.fulfillment.rowwise.exporting import exported
from services.fulfillment.rowwise.rows import RowFailure
from services.fulfillment.rowwise.treating import concerned_keys, concerns, idle
from services.fulfillment.rowwise.walk import Scope, Walk
from shared.clock import Clock, SystemClock

EXPECTED = (Failure, RowFailure, SecretMissingError)


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is connected until it is asked something.

    Raises:
        MapError: the connector cannot be used with this system's map; every problem is named.
    """
    return HttpAdapter(system, read_connector(system), clock or SystemClock())


class HttpAdapter:
    """One system with an HTTP interface. Keeps connections and a token, and nothing about anybody."""

    def __init__(
        self,
        system: System,
        connector: Connector,
        clock: Clock,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._system = system
        self._connector = connector
        self._clock = clock
        self._client = Client(system, connector, clock, transport)
        self._tables = Tables(system, connector, self._client)

    @property
    def capabilities(self) -> Capabilities:
        touched = [self._tables[name] for name in self._touched()]
        return Capabilities(
            idempotency_key=self._connector.idempotency_header is not None,
            verify=all(table.readable or _ordered(table) for table in touched),
            naturally_idempotent=True,
            bounded_by_cutoff=all(table.collection.created_at for table in touched),
            wholly=False,
            looks_up=any(self._tables[name].looks_up for name in self._system.datamap.collections),
        )

    async def check(self) -> CheckReport:
        try:
            return await inspect(self._client, self._connector, self._tables)
        except EXPECTED as error:
            failure = _failure(error)
        # Whatever answers, but not as the connector says, is not the interface that was meant.
        reachable = failure.meaning == "credentials"
        return CheckReport(reachable=reachable, credentials=False, notes=(failure.reason,))

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        plan = plan_walk(self._system.datamap, set(subject.seeds))
        try:
            found = await Walk(self._tables, Scope(plan, cut_off, self._system.limits.max_rows)).run(subject)
            if nobody_by_404(self._connector, found):
                await self._knock()
        except EXPECTED as error:
            return _failure(error).outcome(self._retry_after)
        return found

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        categories = categories_held(self._system.datamap, frozen)
        if not specific:
            return Export(self._system.system, (), categories)
        try:
            names = [name for name in frozen.rows if self._tables[name].collection.treatment != "keep"]
            held = await self._tables.held({name: frozen.rows[name] for name in names}, cut_off)
            if any(len(held[name]) < len(frozen.rows[name]) for name in names):
                await self._knock()
            datasets = exported(self._tables, held, since)
        except EXPECTED as error:
            return _failure(error).outcome(self._retry_after)
        return Export(self._system.system, datasets, categories)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := idle("http", self._system.datamap, right, frozen):
            return answer
        effects = Effects(self._clock, idempotency_key)
        try:
            counts = await self._change(right, frozen, cut_off, effects)
            if effects.unseen:
                await self._knock()
        except NotAll:
            return Ambiguous("more rows than one attempt has time for", tuple(effects.jobs), PARTLY)
        except EXPECTED as error:
            return self._half_done(_failure(error), effects)
        if effects.jobs:
            again = timedelta(seconds=effects.look_again)
            return Ambiguous("the system has taken it on", tuple(effects.jobs), again)
        return Done(Receipt(self._system.system, counts, self._clock.now(), cut_off).sealed())

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        try:
            return await self._proof(right, frozen, cut_off)
        except EXPECTED as error:
            return Unknown(_failure(error).reason)

    async def close(self) -> None:
        await self._client.close()

    async def _change(
        self, right: str, frozen: Frozen, cut_off: datetime, effects: Effects
    ) -> tuple[DatasetCount, ...]:
        names = {name: concerned_keys(frozen, name, right) for name in self._asked(right, frozen)}
        held = await self._tables.held(names, cut_off)
        if any(len(held[name]) < len(keys) for name, keys in names.items()):
            await self._knock()
        if right == "delete":
            bounds = Bounds(cut_off, self._hash_key())
            return await Deletion(self._tables, bounds, effects).run(frozen, held)
        if right == "correct":
            return await set_right(self._tables, frozen, held, effects)
        return await set_flags(self._tables, right, held, effects)

    async def _proof(self, right: str, frozen: Frozen, cut_off: datetime) -> Proof:
        """Jobs first; what cannot be read back was done if its job was, and is not done where there is none."""
        jobs = Jobs(self._tables, self._client)
        at_work = await jobs.proof(frozen.jobs, self._clock.now())
        if at_work is not None:
            return at_work
        names = [name for name in frozen.rows if concerns(self._tables[name].collection, right)]
        blind = [name for name in names if right != "correct" and not self._tables[name].readable]
        if blind and not frozen.jobs:
            return StillPresent(sum(len(frozen.rows[name]) for name in blind))
        readable = {name: keys for name, keys in frozen.rows.items() if name not in blind}
        proof, absent = await read_back(self._tables, right, replace(frozen, rows=readable), cut_off)
        if absent or jobs.forgotten:
            # An interface that is gone says 404 to everything: it is believed only if it still knows itself.
            await self._knock()
        return proof

    async def _knock(self) -> None:
        await knock(self._client, self._connector, self._tables)

    def _asked(self, right: str, frozen: Frozen) -> list[str]:
        """The collections that an act has to do with."""
        if right == "correct":
            return list(in_dispute(self._system.datamap, frozen))
        return sorted({*frozen.rows, *frozen.shared})

    def _half_done(self, failure: Failure, effects: Effects) -> Outcome:
        """Once anything may have been done, whatever stopped the rest is settled by reading back first."""
        if effects.sent or failure.meaning == "unknown":
            return Ambiguous(failure.reason, tuple(effects.jobs))
        return failure.outcome(self._retry_after)

    def _touched(self) -> list[str]:
        collections = self._system.datamap.collections.values()
        return [c.name for c in collections if c.treatment in {"erase", "deidentify"}]

    def _hash_key(self) -> bytes:
        secret = self._system.hash_key
        return secret.read().encode() if secret else b""

    @property
    def _retry_after(self) -> timedelta:
        return timedelta(seconds=self._system.limits.retry_seconds)


def _failure(error: Exception) -> Failure:
    if isinstance(error, RowFailure):
        return Failure(error.meaning, error.reason)
    return error if isinstance(error, Failure) else Failure("credentials", str(error))


def _ordered(table: Table) -> bool:
    return table.spec.delete is not None and table.spec.delete.job is not None
