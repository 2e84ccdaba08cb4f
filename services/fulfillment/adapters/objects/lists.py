"""The two verbs for lists: by whole columns where files and map allow it, otherwise row by row for all at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from services.fulfillment.adapters.objects.changing import Bounds, to_its_end
from services.fulfillment.adapters.objects.failures import Failure, failure_of
from services.fulfillment.adapters.objects.many import by_cut_off, prepare, proofs
from services.fulfillment.adapters.objects.store import Changes
from services.fulfillment.adapters.objects.tables import Tables
from services.fulfillment.bulk import Listed, Order, all_done
from services.fulfillment.datamap.flags import FLAG_RIGHTS
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import Ambiguous, DatasetCount, Frozen, Outcome, Proof, Unknown
from services.fulfillment.rowwise.rows import RowFailure
from services.fulfillment.rowwise.treating import idle, never_done
from shared.clock import Clock

if TYPE_CHECKING:
    from services.fulfillment.adapters.objects.sought import Sought

EXPECTED = (Failure, RowFailure, SecretMissingError)
SOON = timedelta(seconds=2)

T = TypeVar("T")
Counted = list[tuple[DatasetCount, ...]]
Doing = Callable[[Tables, Changes], Awaitable[Counted | None]]


class One(Protocol):
    """What the adapter of single people lends."""

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        """Do it for one."""
        ...

    def alone(self, begun: list[Changes]) -> AbstractAsyncContextManager[tuple[Tables, Changes]]:
        """Be the only one who changes these files."""
        ...

    async def steadily(self, look: Callable[[Tables], Awaitable[T]]) -> T:
        """Look at the files as they are, once more where one was replaced meanwhile."""
        ...


class Lists:
    """Many people at once; each is answered as if they had been alone."""

    def __init__(self, system: System, clock: Clock, one: One) -> None:
        self._system = system
        self._clock = clock
        self._one = one

    async def act(self, right: str, orders: Sequence[Order]) -> list[Outcome]:
        """Whoever has nothing to be done is answered; the others go together."""
        done = await self._together(orders, partial(self._by_columns, right, orders))
        if done is not None:
            return done
        idle_ones = [idle("objects", self._system.datamap, right, one.frozen) for one in orders]
        busy = [number for number, answer in enumerate(idle_ones) if answer is None]
        some = dict[int, Outcome]()
        for numbers in by_cut_off([orders[number] for number in busy]):
            these = [busy[number] for number in numbers]
            some |= zip(these, await self._by_rows(right, [orders[n] for n in these]), strict=True)
        found = iter(some[number] for number in busy)
        return [next(found) if answer is None else answer for answer in idle_ones]

    async def prove(self, right: str, orders: Sequence[Order]) -> list[Proof]:
        """By columns, or those of one cut-off together."""
        if right != "delete" and right not in FLAG_RIGHTS:
            return [never_done(right, one.frozen) for one in orders]
        try:
            return await self._one.steadily(partial(self._read_back, right, orders))
        except EXPECTED as error:
            return [Unknown(failure_of(error).reason) for _ in orders]

    async def _read_back(self, right: str, orders: Sequence[Order], tables: Tables) -> list[Proof]:
        leftovers = await asyncio.to_thread(tables.store.leftovers)
        by_columns = await asyncio.to_thread(self._proved, right, orders, tables, leftovers)
        if by_columns is not None:
            return by_columns
        proved = dict[int, Proof]()
        for numbers in by_cut_off(orders):
            some = [orders[number] for number in numbers]
            proved |= zip(numbers, await proofs(tables, right, some, leftovers), strict=True)
        return [proved[number] for number in range(len(orders))]

    def _proved(
        self, right: str, orders: Sequence[Order], tables: Tables, leftovers: int
    ) -> list[Proof] | None:
        from services.fulfillment.adapters.objects import columns

        everybody = self._sought(right, orders)
        if everybody is None or not columns.suits(tables, everybody):
            return None
        return columns.proofs(tables, everybody, leftovers)

    def _sought(self, right: str, orders: Sequence[Order]) -> "Mapping[str, Sought] | None":
        from services.fulfillment.adapters.objects.sought import sought

        gather = partial(sought, self._system.datamap, right)
        if not isinstance(orders, Listed):
            return gather(orders)
        return orders.once(("columns", self._system.system, right), gather)

    async def _by_rows(self, right: str, orders: Sequence[Order]) -> list[Outcome]:
        """Who stands in the others' way is looked for by halves: each half is a going through of its own."""
        if len(orders) == 1:
            return [await self._act_one(right, orders[0])]
        done = await self._together(orders, partial(self._row_by_row, right, orders))
        if done is not None:
            return done
        middle = len(orders) // 2
        return [
            *await self._by_rows(right, orders[:middle]),
            *await self._by_rows(right, orders[middle:]),
        ]

    async def _together(self, orders: Sequence[Order], doing: Doing) -> list[Outcome] | None:
        """None where they cannot be done so, or not all of them."""
        begun: list[Changes] = []
        try:
            async with self._one.alone(begun) as (tables, changes):
                counts = await doing(tables, changes)
        except EXPECTED as error:
            failure = failure_of(error)
            if any(changes.begun for changes in begun):
                return [Ambiguous(failure.reason) for _ in orders]
            if failure.meaning in {"refused", "unbounded"}:
                return None
            away = timedelta(seconds=self._system.limits.retry_seconds)
            after = SOON if failure.meaning in {"busy", "moved"} else away
            return [failure.outcome(after) for _ in orders]
        return None if counts is None else all_done(self._system.system, self._clock.now(), counts, orders)

    async def _by_columns(
        self, right: str, orders: Sequence[Order], tables: Tables, changes: Changes
    ) -> Counted | None:
        return await to_its_end(partial(self._erased, right, orders, tables, changes), changes)

    def _erased(
        self, right: str, orders: Sequence[Order], tables: Tables, changes: Changes
    ) -> Counted | None:
        from services.fulfillment.adapters.objects import columns

        everybody = self._sought(right, orders)
        if everybody is None or not columns.suits(tables, everybody):
            return None
        return columns.erase(tables, changes, everybody)

    async def _row_by_row(
        self, right: str, orders: Sequence[Order], tables: Tables, changes: Changes
    ) -> Counted | None:
        secret = self._system.hash_key
        bounds = Bounds(right, orders[0].cut_off, secret.read().encode() if secret else b"")
        change, counts = await prepare(tables, changes, bounds, orders)
        await to_its_end(change, changes)
        return counts

    async def _act_one(self, right: str, one: Order) -> Outcome:
        return await self._one.act(
            right, one.frozen, cut_off=one.cut_off, idempotency_key=one.idempotency_key
        )
