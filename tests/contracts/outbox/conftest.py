import pytest

from tests.support.outbox_worlds import MemoryOutboxWorld, OutboxWorld, PostgresOutboxWorld
from tests.support.store_worlds import PostgresWorld


@pytest.fixture
async def postgres_outbox(postgres_world: PostgresWorld) -> PostgresOutboxWorld:
    world = PostgresOutboxWorld(postgres_world)
    await world.empty()
    return world


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.connected)])
def world(request: pytest.FixtureRequest) -> OutboxWorld:
    """Every test here runs on the memory outbox and on PostgreSQL."""
    if request.param == "memory":
        return MemoryOutboxWorld()
    found: PostgresOutboxWorld = request.getfixturevalue("postgres_outbox")
    return found
