from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.installation import Installation
from tests.support.subject_worlds import MemorySubjectWorld, PostgresSubjectWorld, SubjectWorld


@pytest.fixture(scope="session")
async def fulfillment_pool(store_installation: Installation) -> AsyncIterator[asyncpg.Pool]:
    async with store_installation.pool("fulfillment", size=6) as pool:
        yield pool


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.connected)])
def world(request: pytest.FixtureRequest) -> SubjectWorld:
    """Every test here runs in memory and on PostgreSQL."""
    if request.param == "memory":
        return MemorySubjectWorld()
    return PostgresSubjectWorld(request.getfixturevalue("fulfillment_pool"))
