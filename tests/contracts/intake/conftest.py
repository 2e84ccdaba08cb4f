from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.installation import Installation


@pytest.fixture(scope="session")
async def intake_pool(store_installation: Installation) -> AsyncIterator[asyncpg.Pool]:
    async with store_installation.pool("intake", size=4) as pool:
        yield pool
