"""Fixtures of one service's tables, in memory and in PostgreSQL; a pytest plugin, loaded by tests/conftest.py."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.installation import Installation, Installations
from tests.support.store_worlds import MemoryWorld, PostgresWorld, StoreWorld


@pytest.fixture(scope="session")
async def store_installation(installations: Installations) -> Installation:
    """Databases alone: nothing here reads a topic."""
    return await installations.make(topics=())


@pytest.fixture(scope="session")
async def service_pool(store_installation: Installation) -> AsyncIterator[asyncpg.Pool]:
    async with store_installation.pool("verification", size=6) as pool:
        yield pool


@pytest.fixture(scope="session")
async def store_admin(store_installation: Installation) -> AsyncIterator[asyncpg.Connection]:
    async with store_installation.admin() as connection:
        yield connection


@pytest.fixture
async def postgres_world(service_pool: asyncpg.Pool, store_admin: asyncpg.Connection) -> PostgresWorld:
    world = PostgresWorld(service_pool, store_admin, "verification")
    await world.empty()
    return world


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.connected)])
def store_world(request: pytest.FixtureRequest) -> StoreWorld:
    """The same test on the memory store and on PostgreSQL."""
    if request.param == "memory":
        return MemoryWorld()
    found: PostgresWorld = request.getfixturevalue("postgres_world")
    return found
