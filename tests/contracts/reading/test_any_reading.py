"""What handlers read of their service's own tables, in memory and in PostgreSQL alike."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.fulfillment.joining import ReadsEnds
from services.fulfillment.storage import FulfillmentStore
from services.fulfillment.subjects import ReadsKept
from services.intake.ports import KeptFields
from services.intake.storage import IntakeTables
from shared.machine.decision import Kept
from shared.machine.ports import CaseRow, Store, Writes
from shared.machine.storage import PostgresStore
from tests.support.installation import Installation
from tests.support.memory_reading import MemoryReading
from tests.support.memory_store import MemoryStore, MemoryTables

MONTH = date(2026, 2, 1)
CLAIMS = Kept("claims", uuid4(), "claims", "sealed")
CODE = Kept("code", uuid4(), "payload", "sealed too")


@dataclass(frozen=True)
class Rows:
    """A store, and whoever reads beside it."""

    store: Store
    reader: Any

    async def keep(self, request_id: UUID, *kept: Kept, body: str = "{}") -> None:
        async with self.store.transaction() as transaction:
            await transaction.lock([request_id], MONTH)
            rows = [CaseRow(request_id, MONTH, body=body)]
            await transaction.write(Writes(cases=rows, kept=[(request_id, one) for one in kept]))


def in_memory() -> Rows:
    tables = MemoryTables()
    return Rows(MemoryStore(tables), MemoryReading(tables))


@pytest.fixture
async def fulfillment_rows(store_installation: Installation) -> AsyncIterator[Rows]:
    async with store_installation.pool("fulfillment") as pool:
        yield Rows(PostgresStore(pool), FulfillmentStore(pool))


@pytest.fixture
async def intake_rows(store_installation: Installation) -> AsyncIterator[Rows]:
    async with store_installation.pool("intake") as pool:
        yield Rows(PostgresStore(pool), IntakeTables(pool))


BOTH = ["memory", pytest.param("postgres", marks=pytest.mark.connected)]


@pytest.fixture(params=BOTH)
def fulfillment(request: pytest.FixtureRequest) -> Rows:
    return in_memory() if request.param == "memory" else request.getfixturevalue("fulfillment_rows")


@pytest.fixture(params=BOTH)
def intake(request: pytest.FixtureRequest) -> Rows:
    return in_memory() if request.param == "memory" else request.getfixturevalue("intake_rows")


async def test_fulfillment_reads_all_that_is_kept_for_a_request_and_nothing_of_another(
    fulfillment: Rows,
) -> None:
    ours, other = uuid4(), uuid4()
    await fulfillment.keep(ours, CLAIMS, CODE)
    await fulfillment.keep(other, CLAIMS)
    reader: ReadsKept = fulfillment.reader

    assert sorted(await reader.of(ours), key=lambda one: one.name) == [CLAIMS, CODE]
    assert list(await reader.of(other)) == [CLAIMS]
    assert list(await reader.of(uuid4())) == []


async def test_what_is_kept_again_under_a_name_replaces_the_first(fulfillment: Rows) -> None:
    ours = uuid4()
    later = Kept("claims", uuid4(), "claims", "sealed later")
    await fulfillment.keep(ours, CLAIMS)
    await fulfillment.keep(ours, later)
    reader: ReadsKept = fulfillment.reader

    assert list(await reader.of(ours)) == [later]


async def test_fulfillment_reads_how_a_request_ended_once_it_has(fulfillment: Rows) -> None:
    ended, going_on = uuid4(), uuid4()
    await fulfillment.keep(ended, body='{"resolution":"partial"}')
    await fulfillment.keep(going_on)
    reader: ReadsEnds = fulfillment.reader

    assert await reader.resolution_of(ended) == "partial"
    assert await reader.resolution_of(going_on) is None
    assert await reader.resolution_of(uuid4()) is None


async def test_intake_reads_those_of_the_names_that_there_are(intake: Rows) -> None:
    ours = uuid4()
    await intake.keep(ours, CLAIMS, CODE)
    reader: KeptFields = intake.reader

    assert await reader.kept(ours, ["claims", "nothing"]) == {"claims": CLAIMS}
    assert await reader.kept(uuid4(), ["claims"]) == {}
