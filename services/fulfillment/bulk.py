"""Many people at once: what lists of requests are done with, and what gathers requests that come one by one.

An adapter that can do better than one after the other says so by having the two verbs for lists; for the others they
are the single verbs in turn. Each person gets an outcome, a receipt and a proof of their own either way.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload, runtime_checkable

from services.fulfillment.ports import (
    Adapter,
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
    Subject,
    TakesRows,
)
from shared.gathering import Gathering

MOST_AT_ONCE = 200
FEW_ROWS = 100
"""Of a person, who is read with others; one with more rows is read piece by piece."""
MOST_TOGETHER = 10_000
"""Of a person, who is done with others; nobody waits until one with more rows is done."""
PATIENCE_SECONDS = 0.25

Made = TypeVar("Made")
Asked = TypeVar("Asked")
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Order:
    """What one person's act is bound to."""

    frozen: Frozen
    cut_off: datetime
    idempotency_key: str = ""


class Listed(Sequence[Order]):
    """People who are acted for, and then proved: what is gathered from all of them is kept with the list."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders = tuple(orders)
        self._gathered: dict[Hashable, Any] = {}

    @overload
    def __getitem__(self, place: int) -> Order: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Order]: ...
    def __getitem__(self, place: int | slice) -> Order | Sequence[Order]:
        return self._orders[place]

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    def once(self, name: Hashable, gather: Callable[[Sequence[Order]], Made]) -> Made:
        """What is gathered under this name when it is asked for first; it must depend on the orders alone.

        It is given the orders, not this list: what held the list would keep it, and itself, for long.
        """
        if name not in self._gathered:
            self._gathered[name] = gather(self._orders)
        made: Made = self._gathered[name]
        return made


@dataclass(frozen=True, slots=True)
class Shown:
    """What one person's answer is read by."""

    frozen: Frozen
    cut_off: datetime
    since: datetime | None = None


Sought: TypeAlias = tuple[Subject, datetime]
"""Whom to search, and up to when."""


def key_of_all(orders: Sequence[Order]) -> str:
    """One key for one call about all of these: the same for the same requests in any order, and for no others."""
    keys = sorted(one.idempotency_key for one in orders)
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def alike(columns: Sequence[Sequence[Hashable]], make: Callable[[Any], Made]) -> list[Made]:
    """What is made of each row of these columns, made once for all that are alike: mostly everybody is."""
    if all(len(set(column)) == 1 for column in columns):
        return [make(tuple(column[0] for column in columns))] * len(columns[0])
    each = [*zip(*columns, strict=True)]
    made = {shape: make(shape) for shape in dict.fromkeys(each)}
    return [made[shape] for shape in each]


def tables_of(orders: Sequence[Order]) -> list[str]:
    """Every table in which anybody's rows are."""
    own = chain.from_iterable(one.frozen.rows for one in orders)
    return sorted({*own, *chain.from_iterable(one.frozen.shared for one in orders)})


def all_done(
    system: str, at: datetime, counts: Sequence[tuple[DatasetCount, ...]], orders: Sequence[Order]
) -> list[Outcome]:
    """A receipt for each one's counts and cut-off; those of whom the same is said have the same, sealed once."""
    # Equal counts are mostly the same object: to compare a hundred thousand of them by value takes long.
    names = [*map(id, counts)]
    told = dict(zip(names, counts, strict=True))

    def done(each: tuple[int, datetime]) -> Outcome:
        name, until = each
        return Done(Receipt(system, told[name], at, until).sealed())

    return alike([names, [one.cut_off for one in orders]], done)


async def abreast(
    work: Callable[[Sequence[Order]], Awaitable[list[Made]]], chunks: Sequence[Sequence[Order]], few: int
) -> list[Made]:
    """A few chunks at a time, so that one is prepared while the system is busy with another; in their order."""
    if len(chunks) == 1:
        return await work(chunks[0])
    free = asyncio.Semaphore(few)

    async def one(chunk: Sequence[Order]) -> list[Made]:
        async with free:
            return await work(chunk)

    async with asyncio.TaskGroup() as group:
        done = [group.create_task(one(chunk)) for chunk in chunks]
    return [each for chunk in done for each in chunk.result()]


@runtime_checkable
class ForMany(Protocol):
    """What an adapter has that does many people's rows with few statements."""

    async def act_many(self, right: str, orders: Sequence[Order]) -> list[Outcome]:
        """Do it for each, wholly or not at all, in the order of the list; one that fails spoils no other."""
        ...

    async def prove_many(self, right: str, orders: Sequence[Order]) -> list[Proof]:
        """Read back for each, apart from the act."""
        ...


@runtime_checkable
class ReadsMany(Protocol):
    """What an adapter has that searches and reads for many people with few statements."""

    async def find_many(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        """What `find` answers for each, in the order of the list; None for who must be searched alone."""
        ...

    async def export_many(self, shown: Sequence[Shown]) -> list[Export | None]:
        """What `export` answers for each; None for who must be read alone."""
        ...


async def act_many(adapter: Adapter, right: str, orders: Sequence[Order]) -> list[Outcome]:
    """Do it for each."""
    if isinstance(adapter, ForMany) and len(orders) > 1:
        return await adapter.act_many(right, orders)
    return [
        await adapter.act(right, one.frozen, cut_off=one.cut_off, idempotency_key=one.idempotency_key)
        for one in orders
    ]


async def prove_many(adapter: Adapter, right: str, orders: Sequence[Order]) -> list[Proof]:
    """Read back for each."""
    if isinstance(adapter, ForMany) and len(orders) > 1:
        return await adapter.prove_many(right, orders)
    return [await adapter.prove(right, one.frozen, cut_off=one.cut_off) for one in orders]


class Reads:
    """Searches and answers that go together while earlier ones are at work, but do not wait long for these."""

    def __init__(self, adapter: ReadsMany) -> None:
        self._found = _Soon(adapter.find_many)
        self._shown = _Soon(adapter.export_many)

    async def find(self, subject: Subject, cut_off: datetime) -> Frozen | None:
        """None where it has to be asked alone."""
        return await self._found.submit((subject, cut_off))

    async def export(self, shown: Shown) -> Export | None:
        """None where it has to be asked alone."""
        return await self._shown.submit(shown)


class _Soon(Generic[Asked, Given]):
    """A gathering whose next batch begins when the last has answered, or has taken long.

    A read holds nothing that another one needs; only one that is quick is worth waiting for.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[list[Given | None]]]) -> None:
        self._work = work
        self._begun: Gathering[Asked, tuple[asyncio.Future[list[Given | None]], int]] = Gathering(
            self._begin, most=MOST_AT_ONCE
        )

    async def submit(self, asked: Asked) -> Given | None:
        batch, place = await self._begun.submit(asked)
        # Whoever gives up waiting does not take the others' answers away.
        return (await asyncio.shield(batch))[place]

    async def _begin(
        self, asked: Sequence[Asked]
    ) -> Sequence[tuple[asyncio.Future[list[Given | None]], int]]:
        batch = asyncio.ensure_future(self._work(asked))
        await asyncio.wait([batch], timeout=PATIENCE_SECONDS)
        return [(batch, place) for place in range(len(asked))]


class Gathered:
    """An adapter whose calls for single people go together while an earlier one is at work; nobody waits for others."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._reads = Reads(adapter) if isinstance(adapter, ReadsMany) else None
        self._acts: dict[str, Gathering[Order, Outcome]] = {}
        self._proofs: dict[str, Gathering[Order, Proof]] = {}

    @property
    def capabilities(self) -> Capabilities:
        return self._adapter.capabilities

    async def check(self) -> CheckReport:
        return await self._adapter.check()

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        found = await self._reads.find(subject, cut_off) if self._reads else None
        return await self._adapter.find(subject, cut_off=cut_off) if found is None else found

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        few = specific and frozen.count() <= FEW_ROWS
        shown = Shown(frozen, cut_off, since)
        read = await self._reads.export(shown) if few and self._reads else None
        if read is not None:
            return read
        return await self._adapter.export(
            frozen, cut_off=cut_off, since=since, specific=specific, taking=taking
        )

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if frozen.size() > MOST_TOGETHER:
            return await self._adapter.act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)
        if right not in self._acts:
            self._acts[right] = Gathering(
                lambda orders: act_many(self._adapter, right, orders), most=MOST_AT_ONCE
            )
        return await self._acts[right].submit(Order(frozen, cut_off, idempotency_key))

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        if frozen.size() > MOST_TOGETHER:
            return await self._adapter.prove(right, frozen, cut_off=cut_off)
        if right not in self._proofs:
            self._proofs[right] = Gathering(
                lambda orders: prove_many(self._adapter, right, orders), most=MOST_AT_ONCE
            )
        return await self._proofs[right].submit(Order(frozen, cut_off))

    async def close(self) -> None:
        await self._adapter.close()


def gathered(adapter: Adapter) -> Adapter:
    """The adapter with its single calls put together, where that spares it anything."""
    return Gathered(adapter) if isinstance(adapter, ForMany | ReadsMany) else adapter
