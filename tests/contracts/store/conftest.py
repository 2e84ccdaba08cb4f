import pytest

from tests.support.store_worlds import StoreWorld


@pytest.fixture
def world(store_world: StoreWorld) -> StoreWorld:
    """Every test here runs on the memory store and on PostgreSQL."""
    return store_world
