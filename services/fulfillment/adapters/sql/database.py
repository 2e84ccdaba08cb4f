"""One database as its adapter holds it: a pool and the reflected tables, both forgotten when they prove stale."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.fulfillment.adapters.sql.collations import COLLATING
from services.fulfillment.adapters.sql.connect import make_engine
from services.fulfillment.adapters.sql.failures import Failure, classify
from services.fulfillment.adapters.sql.tables import Tables, read_tables
from services.fulfillment.datamap.systems import System

_SAY_WHO = sa.text(
    "SELECT set_config('application_name', :name, true), set_config('habeas.idempotency_key', :key, true)"
)


class Database:
    """Nothing is connected until it is asked something."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._engine: AsyncEngine | None = None
        self._tables: Tables | None = None

    @property
    def dialect(self) -> str:
        """By the address alone."""
        return self._made().dialect.name

    @asynccontextmanager
    async def transaction(self, **options: object) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is rolled back unless the caller commits it."""
        async with self._made().connect() as connection:
            yield await connection.execution_options(**options)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[tuple[AsyncConnection, Tables]]:
        """One snapshot for all that a verb reads."""
        async with self.transaction(**self._snapshot()) as connection:
            yield connection, await self._known_tables(connection)

    @asynccontextmanager
    async def writing(self, idempotency_key: str) -> AsyncIterator[tuple[AsyncConnection, Tables]]:
        """Where the database can show it, the session says which request is at work."""
        async with self.transaction(habeas_writes=True) as connection:
            if connection.dialect.name == "postgresql":
                name = f"habeas {idempotency_key}"[:63]
                await connection.execute(_SAY_WHO, {"name": name, "key": idempotency_key})
            yield connection, await self._known_tables(connection)

    async def failed(self, error: Exception) -> Failure:
        """Classify, and forget what the error has shown to be stale: a rotated secret, a changed schema."""
        failure = classify(error)
        if failure.meaning in {"credentials", "schema"}:
            await self.close()
        return failure

    async def close(self) -> None:
        engine, self._engine, self._tables = self._engine, None, None
        if engine is not None:
            await engine.dispose()

    def _made(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = make_engine(self._system.address(), self._system.limits)
        return self._engine

    def _snapshot(self) -> dict[str, object]:
        name = self.dialect
        one = {"isolation_level": "REPEATABLE READ"} if name in {*COLLATING, "postgresql"} else {}
        return {**one, "postgresql_readonly": True} if name == "postgresql" else {**one}

    async def _known_tables(self, connection: AsyncConnection) -> Tables:
        if self._tables is None:
            self._tables = await read_tables(connection, self._system.datamap)
        return self._tables
