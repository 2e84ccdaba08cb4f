"""The adapter itself: each verb over one look at the files, each expected failure made an answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from services.fulfillment.adapters.objects.changing import Bounds, Changing, to_its_end
from services.fulfillment.adapters.objects.failures import Failure, failure_of
from services.fulfillment.adapters.objects.inspection import inspect
from services.fulfillment.adapters.objects.lists import EXPECTED, SOON, Lists
from services.fulfillment.adapters.objects.places import open_store, read_patterns
from services.fulfillment.adapters.objects.reads import Reads
from services.fulfillment.adapters.objects.store import Changes
from services.fulfillment.adapters.objects.tables import Tables
from services.fulfillment.bulk import Order, Shown, Sought
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.disputes import to_change
from services.fulfillment.datamap.flags import FLAG_RIGHTS
from services.fulfillment.datamap.graph import plan_walk
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    CheckReport,
    DatasetCount,
    Done,
    Export,
    Frozen,
    Gone,
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
from services.fulfillment.rowwise.correcting import corrected, in_dispute, proof_of
from services.fulfillment.rowwise.exporting import exported
from services.fulfillment.rowwise.orphans import refuse_orphans
from services.fulfillment.rowwise.treating import concerned_keys, concerns, counted, idle, never_done, pending
from services.fulfillment.rowwise.walk import Scope, Walk
from shared.clock import Clock, SystemClock

LOOKS = 5
IN_LINE_SECONDS = 10.0

T = TypeVar("T")


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is looked at until it is asked something.

    Raises:
        MapError: the system file cannot be used with this map; every problem is named.
    """
    return ObjectsAdapter(system, read_patterns(system), clock or SystemClock())


class ObjectsAdapter:
    """Files in one place. Keeps nothing between two verbs but the line in which writers stand."""

    def __init__(self, system: System, patterns: Mapping[str, tuple[str, ...]], clock: Clock) -> None:
        self._system = system
        self._patterns = patterns
        self._clock = clock
        self._line = asyncio.Lock()
        self._lists = Lists(system, clock, self)
        self._reads = Reads(system, self)

    @property
    def capabilities(self) -> Capabilities:
        touched = [
            c for c in self._system.datamap.collections.values() if c.treatment in {"erase", "deidentify"}
        ]
        return Capabilities(
            idempotency_key=False,
            verify=True,
            naturally_idempotent=True,
            bounded_by_cutoff=all(collection.created_at for collection in touched),
            wholly=False,
        )

    async def check(self) -> CheckReport:
        try:
            return await self.steadily(lambda tables: asyncio.to_thread(inspect, tables))
        except EXPECTED as error:
            failure = failure_of(error)
        away = failure.meaning in {"away", "busy", "moved"}
        return CheckReport(reachable=not away, credentials=False, notes=(failure.reason,))

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        plan = plan_walk(self._system.datamap, set(subject.seeds))
        scope = Scope(plan, cut_off, self._system.limits.max_rows)
        try:
            return await self.steadily(lambda tables: Walk(tables, scope).run(subject))
        except EXPECTED as error:
            return failure_of(error).outcome(self._retry_after)

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

        async def read(tables: Tables) -> Export:
            held = await tables.held(frozen.rows, cut_off)
            return Export(self._system.system, exported(tables, held, since), categories)

        try:
            return await self.steadily(read)
        except EXPECTED as error:
            return failure_of(error).outcome(self._retry_after)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := idle("objects", self._system.datamap, right, frozen):
            return answer
        begun: list[Changes] = []
        try:
            async with self.alone(begun) as (tables, changes):
                counts = await self._change(tables, changes, right, (frozen, cut_off))
        except EXPECTED as error:
            failure = failure_of(error)
            if any(changes.begun for changes in begun):
                return Ambiguous(failure.reason)
            return failure.outcome(SOON if failure.meaning in {"busy", "moved"} else self._retry_after)
        return Done(Receipt(self._system.system, counts, self._clock.now(), cut_off).sealed())

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        if right not in {"delete", "correct"} and right not in FLAG_RIGHTS:
            return never_done(right, frozen)
        try:
            return await self.steadily(lambda tables: self._proof(tables, right, frozen, cut_off))
        except EXPECTED as error:
            return Unknown(failure_of(error).reason)

    async def find_many(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        """Each file is read once for all."""
        return await self._reads.find(sought)

    async def export_many(self, shown: Sequence[Shown]) -> list[Export | None]:
        """Each file is read once for all."""
        return await self._reads.export(shown)

    async def act_many(self, right: str, orders: Sequence[Order]) -> list[Outcome]:
        """All in one going through, where nobody stands in the others' way; each correction is another."""
        if right == "correct":
            return [
                await self.act(right, one.frozen, cut_off=one.cut_off, idempotency_key=one.idempotency_key)
                for one in orders
            ]
        return await self._lists.act(right, orders)

    async def prove_many(self, right: str, orders: Sequence[Order]) -> list[Proof]:
        """Read back together."""
        if right == "correct":
            return [await self.prove(right, one.frozen, cut_off=one.cut_off) for one in orders]
        return await self._lists.prove(right, orders)

    async def close(self) -> None:
        """Nothing is held between two verbs."""

    async def _change(
        self, tables: Tables, changes: Changes, right: str, what: tuple[Frozen, datetime]
    ) -> tuple[DatasetCount, ...]:
        frozen, cut_off = what
        if right == "correct":
            return await self._set_right(tables, changes, frozen, cut_off)
        names = sorted({*frozen.rows, *frozen.shared})
        held = await tables.held({name: concerned_keys(frozen, name, right) for name in names}, cut_off)
        if right == "delete":
            await refuse_orphans(tables, frozen, held, cut_off)
        touched = {
            name: concerned_keys(frozen, name, right)
            for name in names
            if concerns(tables[name].collection, right)
        }
        bounds = Bounds(right, cut_off, self._hash_key())
        done = await to_its_end(partial(Changing(tables, bounds, changes).run, touched), changes)
        if right != "delete":
            return tuple(DatasetCount(name, corrected=done[name]) for name in touched)
        counts = [
            counted(tables[name].collection, frozen, done=done.get(name, 0), left=len(held[name]))
            for name in names
        ]
        return tuple(count for count in counts if count)

    async def _set_right(
        self, tables: Tables, changes: Changes, frozen: Frozen, cut_off: datetime
    ) -> tuple[DatasetCount, ...]:
        """Nothing is put in place before all files were written anew, so a row for a person stops all of it."""
        own = in_dispute(tables.datamap, frozen)
        bounds = Bounds("correct", cut_off, b"", to_change(tables.datamap, frozen.corrections))
        done = await to_its_end(partial(Changing(tables, bounds, changes).run, own), changes)
        return tuple(corrected(name, frozen, done[name]) for name in own)

    async def _corrected(self, tables: Tables, frozen: Frozen, cut_off: datetime) -> Proof:
        held = await tables.held(in_dispute(tables.datamap, frozen), cut_off, past=False)
        proof, leftovers = (
            proof_of(tables.datamap, frozen, held),
            await asyncio.to_thread(tables.store.leftovers),
        )
        return StillPresent(leftovers) if leftovers and isinstance(proof, Gone) else proof

    async def _proof(self, tables: Tables, right: str, frozen: Frozen, cut_off: datetime) -> Proof:
        if right == "correct":
            return await self._corrected(tables, frozen, cut_off)
        names = [
            name
            for name in sorted({*frozen.rows, *frozen.shared})
            if concerns(tables[name].collection, right)
        ]
        keys = {name: concerned_keys(frozen, name, right) for name in names}
        held = await tables.held(keys, cut_off)
        left = sum(
            pending(tables[name].collection, right, row)
            for name, rows in held.items()
            for row in rows.values()
        )
        left += await asyncio.to_thread(tables.store.leftovers)
        return StillPresent(left) if left else Gone({name: len(each) for name, each in keys.items()})

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[Tables]:
        store = await asyncio.to_thread(open_store, self._system)
        try:
            yield await asyncio.to_thread(Tables, self._system, self._patterns, store)
        finally:
            await asyncio.to_thread(store.close)

    async def steadily(self, look: Callable[[Tables], Awaitable[T]]) -> T:
        """Look once more where a file was replaced under our eyes: another request's deletion does that."""
        for _ in range(LOOKS - 1):
            try:
                async with self._looking() as tables:
                    return await look(tables)
            except Failure as failure:
                if failure.meaning != "moved":
                    raise
        async with self._looking() as tables:
            return await look(tables)

    @asynccontextmanager
    async def alone(self, begun: list[Changes]) -> AsyncIterator[tuple[Tables, Changes]]:
        """Stand in line behind our own process's writers, then lock out those of others."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._in_line())
            store = await asyncio.to_thread(open_store, self._system)
            stack.push_async_callback(asyncio.to_thread, store.close)
            changing = store.changing()
            changes = await asyncio.to_thread(changing.__enter__)
            stack.push_async_callback(asyncio.to_thread, changing.__exit__, None, None, None)
            begun.append(changes)
            yield await asyncio.to_thread(Tables, self._system, self._patterns, store), changes

    @asynccontextmanager
    async def _in_line(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(IN_LINE_SECONDS):
                await self._line.acquire()
        except TimeoutError:
            raise Failure("busy", "other requests' changes of these files go first") from None
        try:
            yield
        finally:
            self._line.release()

    def _hash_key(self) -> bytes:
        secret = self._system.hash_key
        return secret.read().encode() if secret else b""

    @property
    def _retry_after(self) -> timedelta:
        return timedelta(seconds=self._system.limits.retry_seconds)
