"""The adapter itself: each verb in a transaction of its own, each expected error made an answer."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.correcting import Correcting
from services.fulfillment.adapters.sql.database import Database
from services.fulfillment.adapters.sql.destroy import Bounds, Deletion
from services.fulfillment.adapters.sql.export import Reach, export_rows
from services.fulfillment.adapters.sql.failures import EXPECTED
from services.fulfillment.adapters.sql.flags import set_flags
from services.fulfillment.adapters.sql.inspection import inspect_schema
from services.fulfillment.adapters.sql.keys import in_chunks
from services.fulfillment.adapters.sql.looking import problems_of_nested
from services.fulfillment.adapters.sql.many import can_list, delete_many, flag_many, read_back_many
from services.fulfillment.adapters.sql.parts import Parts
from services.fulfillment.adapters.sql.people import people
from services.fulfillment.adapters.sql.questions import Walking, answered
from services.fulfillment.adapters.sql.readback import read_back
from services.fulfillment.adapters.sql.tables import Tables
from services.fulfillment.adapters.sql.together import Together, export_together
from services.fulfillment.adapters.sql.walk import Scope, Walk
from services.fulfillment.bulk import Order, Shown, Sought, abreast, all_done, key_of_all
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.flags import FLAG_RIGHTS
from services.fulfillment.datamap.graph import WalkPlan, plan_walk
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.datamap.unknown import unknown_names
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
    Nothing,
    Outcome,
    Proof,
    Receipt,
    Retry,
    Subject,
    TakesRows,
    Unknown,
)
from services.fulfillment.rowwise.changing import PARTLY, NotAll
from services.fulfillment.rowwise.treating import idle
from shared.clock import Clock, SystemClock

MOST_ABREAST = 2


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is connected until it is asked something.

    Raises:
        MapError: the system file cannot be used, or the map wants something of a nested field that only a column
            of the table can be.
    """
    if problems := tuple(f"{system.system}: {problem}" for problem in _problems(system)):
        raise MapError(problems)
    return SqlAdapter(system, clock or SystemClock())


def _problems(system: System) -> Iterator[str]:
    if system.url is None:
        yield "url: is needed"
    yield from unknown_names(system)
    yield from problems_of_nested(system.datamap)


class SqlAdapter:
    """One database. Keeps a pool and the reflected tables, and forgets both when they prove stale."""

    def __init__(self, system: System, clock: Clock) -> None:
        self._system = system
        self._clock = clock
        self._database = Database(system)
        self._plans: dict[frozenset[str], WalkPlan] = {}

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
            most_wholly=self._system.limits.transaction_rows,
        )

    async def check(self) -> CheckReport:
        try:
            async with self._database.transaction() as connection:
                return await inspect_schema(connection, self._system.datamap)
        except EXPECTED as error:
            failure = await self._database.failed(error)
        away = failure.meaning in {"away", "busy"}
        return CheckReport(
            reachable=not away,
            credentials=not away and failure.meaning != "credentials",
            notes=(failure.reason,),
        )

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        try:
            async with self._database.reading() as (connection, tables):
                return await answered(connection, self._walk(tables, subject, cut_off))
        except EXPECTED as error:
            return (await self._database.failed(error)).outcome(self._retry_after)

    async def find_many(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        """All in one snapshot; None for who must be searched alone."""
        try:
            if self._database.dialect != "postgresql":
                return [None for _ in sought]
            async with self._database.reading() as (connection, tables):
                walks = [(self._walk(tables, subject, cut_off), cut_off) for subject, cut_off in sought]
                return await Together(connection, tables).run(walks)
        except EXPECTED:
            # Whoever asks alone hears what is the matter.
            return [None for _ in sought]

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
            async with self._database.reading() as (connection, tables):
                reach = Reach(cut_off, since, self._system.limits.chunk_rows, taking)
                datasets = await export_rows(connection, tables, frozen, reach)
        except EXPECTED as error:
            return (await self._database.failed(error)).outcome(self._retry_after)
        return Export(self._system.system, datasets, categories)

    async def export_many(self, shown: Sequence[Shown]) -> list[Export | None]:
        """All in one snapshot; None for who must be read alone."""
        try:
            if self._database.dialect != "postgresql":
                return [None for _ in shown]
            async with self._database.reading() as (connection, tables):
                each = await export_together(connection, tables, shown)
        except EXPECTED:
            return [None for _ in shown]
        return [
            Export(self._system.system, datasets, categories_held(self._system.datamap, one.frozen))
            for one, datasets in zip(shown, each, strict=True)
        ]

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if idle := self._idle(right, frozen):
            return idle
        if right != "correct" and not self.capabilities.does_wholly(frozen):
            return await self._act_in_parts(right, Order(frozen, cut_off, idempotency_key))
        committing = False
        try:
            async with self._database.writing(idempotency_key) as (connection, tables):
                counts = await self._change(connection, tables, right, (frozen, cut_off))
                committing = True
                await connection.commit()
        except EXPECTED as error:
            failure = await self._database.failed(error)
            # Only a COMMIT that was sent can have worked unseen; before it, the database rolls all back.
            unknown = Ambiguous("the answer to COMMIT was lost")
            return unknown if committing else failure.outcome(self._retry_after)
        return Done(self._receipt(counts, cut_off))

    async def _act_in_parts(self, right: str, order: Order) -> Outcome:
        """So many rows a transaction; what is left when the time is over is the next attempt's."""
        most = self._system.limits.transaction_rows
        parts = Parts(self._database, order.idempotency_key, self._bounds(order.cut_off), most)
        try:
            counts = await parts.run(right, order.frozen)
        except NotAll:
            return Ambiguous("more rows than one attempt has time for", look_again=PARTLY)
        except EXPECTED as error:
            failure = await self._database.failed(error)
            return Ambiguous(failure.reason) if parts.begun else failure.outcome(self._retry_after)
        return Done(self._receipt(counts, order.cut_off))

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        try:
            async with self._database.reading() as (connection, tables):
                return await read_back(connection, tables, self._bounds(cut_off), right, frozen)
        except EXPECTED as error:
            return Unknown((await self._database.failed(error)).reason)

    async def act_many(self, right: str, orders: Sequence[Order]) -> list[Outcome]:
        """A chunk of people a transaction; who cannot be done in a list is done alone."""

        async def work(chunk: Sequence[Order]) -> list[Outcome]:
            return await self._act_chunk(right, chunk) or [
                await self.act(right, one.frozen, cut_off=one.cut_off, idempotency_key=one.idempotency_key)
                for one in chunk
            ]

        return await abreast(work, *self._chunks(orders))

    async def prove_many(self, right: str, orders: Sequence[Order]) -> list[Proof]:
        """A chunk of people a snapshot; where one's correction is a person's, the others' are proved all the same."""
        if right == "correct":
            return [await self.prove(right, one.frozen, cut_off=one.cut_off) for one in orders]
        return await abreast(partial(self._prove_chunk, right), *self._chunks(orders))

    def identities(self, *, at_once: int) -> AsyncIterator[tuple[str, str]]:
        """Everybody in it."""
        return people(self._database, self._system.datamap, at_once=at_once)

    async def close(self) -> None:
        await self._database.close()

    def _walk(self, tables: Tables, subject: Subject, cut_off: datetime) -> Walking:
        kinds = frozenset(subject.seeds)
        if kinds not in self._plans:
            self._plans[kinds] = plan_walk(self._system.datamap, kinds)
        return Walk(tables, Scope(self._plans[kinds], cut_off, self._system.limits)).run(subject)

    def _chunks(self, orders: Sequence[Order]) -> tuple[Sequence[Sequence[Order]], int]:
        """So many people at a time, and on how many connections: some are left to those who come alone."""
        limits = self._system.limits
        return [*in_chunks(orders, limits.chunk_rows)], max(1, min(MOST_ABREAST, limits.connections // 2))

    async def _act_chunk(self, right: str, orders: Sequence[Order]) -> list[Outcome] | None:
        """None where they must be done one by one: one of them cannot be done, or not in a list."""
        if right == "correct" or len(orders) < 2 or any(self._idle(right, one.frozen) for one in orders):  # noqa: PLR2004 - a list
            return None
        committing = False
        try:
            async with self._database.writing(key_of_all(orders)) as (connection, tables):
                if not can_list(tables):
                    return None
                change = delete_many(connection, tables, orders, self._bounds) if right == "delete" else None
                counts = await (change or flag_many(connection, tables, right, orders))
                committing = True
                await connection.commit()
        except EXPECTED as error:
            failure = await self._database.failed(error)
            if committing:
                return [Ambiguous("the answer to COMMIT was lost") for _ in orders]
            alone = failure.meaning in {"refused", "unbounded"}
            return None if alone else [failure.outcome(self._retry_after) for _ in orders]
        return all_done(self._system.system, self._clock.now(), counts, orders)

    async def _prove_chunk(self, right: str, orders: Sequence[Order]) -> list[Proof]:
        try:
            async with self._database.reading() as (connection, tables):
                if can_list(tables) and (right == "delete" or right in FLAG_RIGHTS):
                    return await read_back_many(connection, tables, right, orders)
                return [
                    await read_back(connection, tables, self._bounds(one.cut_off), right, one.frozen)
                    for one in orders
                ]
        except EXPECTED as error:
            reason = (await self._database.failed(error)).reason
            return [Unknown(reason) for _ in orders]

    def _receipt(self, counts: tuple[DatasetCount, ...], cut_off: datetime) -> Receipt:
        return Receipt(self._system.system, counts, self._clock.now(), cut_off).sealed()

    async def _change(
        self, connection: AsyncConnection, tables: Tables, right: str, what: tuple[Frozen, datetime]
    ) -> tuple[DatasetCount, ...]:
        frozen, cut_off = what
        if right == "delete":
            return await Deletion(connection, tables, self._bounds(cut_off)).run(frozen)
        if right == "correct":
            return await Correcting(connection, tables, self._bounds(cut_off)).run(frozen)
        return await set_flags(connection, tables, self._bounds(cut_off), right, frozen)

    def _idle(self, right: str, frozen: Frozen) -> Nothing | NeedsPerson | None:
        return idle("sql", self._system.datamap, right, frozen)

    def _bounds(self, cut_off: datetime) -> Bounds:
        secret = self._system.hash_key
        hash_key = secret.read().encode() if secret else b""
        return Bounds(cut_off, self._system.limits.chunk_rows, hash_key)

    @property
    def _retry_after(self) -> timedelta:
        return timedelta(seconds=self._system.limits.retry_seconds)
