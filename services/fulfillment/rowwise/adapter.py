"""The adapter of every store that changes row by row: each verb bounded, each expected failure made an answer."""

from datetime import datetime, timedelta

from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.flags import FLAG_RIGHTS
from services.fulfillment.datamap.graph import plan_walk
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Ambiguous,
    Capabilities,
    CheckReport,
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
from services.fulfillment.rowwise.changing import PARTLY, Bounds, Effects, NotAll, act, held
from services.fulfillment.rowwise.correcting import in_dispute, proof_of
from services.fulfillment.rowwise.exporting import exported
from services.fulfillment.rowwise.rows import RowFailure
from services.fulfillment.rowwise.store import Settling, Store, StoreFailure
from services.fulfillment.rowwise.treating import concerned_keys, concerns, idle, never_done, pending
from services.fulfillment.rowwise.walk import Scope, Walk
from shared.clock import Clock

EXPECTED = (StoreFailure, RowFailure, SecretMissingError)


class RowAdapter:
    """One system behind a store. Keeps the store's connections, and nothing about anybody."""

    def __init__(self, system: System, store: Store, clock: Clock) -> None:
        self._system = system
        self._store = store
        self._clock = clock

    @property
    def capabilities(self) -> Capabilities:
        collections = self._system.datamap.collections.values()
        touched = [c for c in collections if c.treatment in {"erase", "deidentify"}]
        return Capabilities(
            idempotency_key=False,
            verify=True,
            naturally_idempotent=True,
            bounded_by_cutoff=all(collection.created_at for collection in touched),
            wholly=False,
        )

    async def check(self) -> CheckReport:
        try:
            return await self._store.inspect()
        except EXPECTED as error:
            failure = _failure(error)
        reachable = failure.meaning not in {"away", "busy", "unknown"}
        return CheckReport(reachable=reachable, credentials=False, notes=(failure.reason,))

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        plan = plan_walk(self._system.datamap, set(subject.seeds))
        try:
            return await Walk(self._store, Scope(plan, cut_off, self._system.limits.max_rows)).run(subject)
        except EXPECTED as error:
            return _failure(error).outcome(self._retry_after)

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
            datasets = exported(self._store, await held(self._store, frozen.rows, cut_off), since)
        except EXPECTED as error:
            return _failure(error).outcome(self._retry_after)
        return Export(self._system.system, datasets, categories)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := idle(self._system.kind, self._system.datamap, right, frozen):
            return answer
        effects = Effects(self._system.limits.chunk_rows)
        try:
            counts = await act(self._store, frozen, Bounds(right, cut_off, self._hash_key()), effects)
        except NotAll:
            return Ambiguous("more rows than one attempt has time for", look_again=PARTLY)
        except EXPECTED as error:
            failure = _failure(error)
            if effects.begun or failure.meaning == "unknown":
                return Ambiguous(failure.reason)
            return failure.outcome(self._retry_after)
        return Done(Receipt(self._system.system, counts, self._clock.now(), cut_off).sealed())

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        if right not in {"delete", "correct"} and right not in FLAG_RIGHTS:
            return never_done(right, frozen)
        try:
            return await self._proof(right, frozen, cut_off)
        except EXPECTED as error:
            return Unknown(_failure(error).reason)

    async def close(self) -> None:
        await self._store.close()

    async def _proof(self, right: str, frozen: Frozen, cut_off: datetime) -> Proof:
        if right == "correct":
            own = in_dispute(self._system.datamap, frozen)
            return proof_of(self._system.datamap, frozen, await held(self._store, own, cut_off))
        every = sorted({*frozen.rows, *frozen.shared})
        names = [name for name in every if concerns(self._store[name].collection, right)]
        keys = {name: concerned_keys(frozen, name, right) for name in names}
        rows = await held(self._store, keys, cut_off)
        left = sum(
            pending(self._store[name].collection, right, row) for name in names for row in rows[name].values()
        )
        for table in map(self._store.__getitem__, names):
            if right == "delete" and isinstance(table, Settling):
                behind = await table.left_behind(keys[table.name])
                left += sum(pending(table.collection, right, row) for row in behind)
        return StillPresent(left) if left else Gone({name: len(each) for name, each in keys.items()})

    def _hash_key(self) -> bytes:
        secret = self._system.hash_key
        return secret.read().encode() if secret else b""

    @property
    def _retry_after(self) -> timedelta:
        return timedelta(seconds=self._system.limits.retry_seconds)


def _failure(error: Exception) -> StoreFailure:
    if isinstance(error, RowFailure):
        return StoreFailure(error.meaning, error.reason)
    return error if isinstance(error, StoreFailure) else StoreFailure("credentials", str(error))
