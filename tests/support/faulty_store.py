"""A store whose commits fail when a test says so: before anything happened, or after all of it did."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.machine.ports import Parked, Store, Transaction


@dataclass
class FaultyStore:
    """Raises the next error of a list, once each."""

    inner: Store
    before_commit: list[Exception] = field(default_factory=list)
    after_commit: list[Exception] = field(default_factory=list)
    transactions: int = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.transactions += 1
        async with self.inner.transaction() as transaction:
            yield transaction
            if self.before_commit:
                raise self.before_commit.pop(0)
        if self.after_commit:
            raise self.after_commit.pop(0)

    async def due(self, now: datetime, limit: int) -> list[UUID]:
        return await self.inner.due(now, limit)

    async def ready_parked(self, limit: int) -> list[Parked]:
        return await self.inner.ready_parked(limit)

    async def oldest_gap_seconds(self) -> float:
        return await self.inner.oldest_gap_seconds()
