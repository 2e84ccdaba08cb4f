import pytest

from tests.support.machine import Machine, Upstream
from tests.support.store_worlds import StoreWorld


@pytest.fixture
def machine(store_world: StoreWorld) -> Machine:
    """A service over the memory store, then over PostgreSQL."""
    return Machine(store_world)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()
