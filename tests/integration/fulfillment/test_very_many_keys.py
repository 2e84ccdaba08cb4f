"""A person of very many keys in a real Redis, which is changed row by row: killed between two parts of the deletion."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

import pytest
import yaml
from redis.asyncio import Redis

from services.fulfillment.adapters.redis.keys import KeyTable
from services.fulfillment.connecting import connect
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.rows import Row
from shared.clock import SystemClock
from tests.support.eventually import eventually_async
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host, goes_on
from tests.support.installation import Installation, Installations
from tests.support.redis_server import redis_server

pytestmark = pytest.mark.connected
EMAIL = "ada@example.com"
# More than a row-wise store once let go (rowwise/orphans.py).
VISITS, PART, OTHERS = 12_000, 200, 50
BORN = {"created_at": "2025-01-01T00:00:00+00:00"}
SYSTEM = {
    "system": "events",
    "kind": "redis",
    "business": "cascadia",
    "url": {"file": "redis.url"},
    "dataset": "maps/events.yaml",
    "settings": {"complete": "*", "keys.people": "people:{id}", "keys.visits": "visits:{id}"},
    "limits": {"chunk_rows": PART},
}
_BORN = {"fides_meta": {"habeas": {"created_at": "created_at"}}}
_ID = {"name": "id", "fides_meta": {"primary_key": True}}
_EMAIL = {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}}
_OWNER = {
    "name": "person_id",
    "fides_meta": {"references": [{"dataset": "events", "field": "people.id", "direction": "from"}]},
}
_PAGE = {"name": "page", "data_categories": ["user.behavior.browsing_history"]}
MAP = {
    "fides_key": "events",
    "collections": [
        {"name": "people", **_BORN, "fields": [_ID, _EMAIL, {"name": "created_at"}]},
        {"name": "visits", **_BORN, "fields": [_ID, _OWNER, _PAGE, {"name": "created_at"}]},
    ],
}


class Visits:
    """The store, read and paused by its own client."""

    def __init__(self, port: int, folder: Path) -> None:
        self.client: Redis = Redis(port=port, decode_responses=True)
        self.folder = folder
        (folder / "redis.url").write_text(f"redis://127.0.0.1:{port}/0")
        (folder / "maps").mkdir()
        (folder / "maps" / "events.yaml").write_text(yaml.safe_dump({"dataset": [MAP]}))
        (folder / "events.yaml").write_text(yaml.safe_dump(SYSTEM))

    async def fill(self) -> None:
        async with self.client.pipeline() as asked:
            for number, email in ((1, EMAIL), (2, "bob@example.com")):
                asked.set(f"people:{number}", json.dumps({"id": number, "email": email, **BORN}))
            for number in range(VISITS + OTHERS):
                visit = {"id": number, "person_id": 1 if number < VISITS else 2, "page": "/", **BORN}
                asked.set(f"visits:{number}", json.dumps(visit))
            await asked.execute()

    async def left(self) -> int:
        """How many keys are there, of whomever."""
        return int(await self.client.dbsize())


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with redis_server(tmp_path) as found:
        yield found


@pytest.fixture
async def visits(port: int, tmp_path: Path) -> AsyncIterator[Visits]:
    store = Visits(port, tmp_path)
    await store.fill()
    yield store
    await store.client.aclose()


@pytest.fixture
async def installation(installations: Installations) -> Installation:
    """One without topics: nothing here is published."""
    return await installations.make(topics=())


@asynccontextmanager
async def service(installation: Installation, visits: Visits) -> AsyncIterator[FulfillmentHost]:
    connected = connect(visits.folder, visits.folder, SystemClock())
    async with fulfillment_host(installation, connected) as opened:
        try:
            yield opened
        finally:
            for each in connected:
                await each.adapter.close()


@contextmanager
def killed_after(parts: int) -> Iterator[asyncio.Event]:
    """Whoever erases more parts than these is gone, as a process that was killed: it neither answers nor goes on."""
    erase, gone, done = KeyTable.erase, asyncio.Event(), count(1)

    async def erase_or_go(table: KeyTable, rows: Mapping[Key, Row]) -> int:
        if next(done) > parts:
            gone.set()
            raise asyncio.CancelledError
        return await erase(table, rows)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(KeyTable, "erase", erase_or_go)
        yield gone


async def until(running: FulfillmentHost, gone: asyncio.Event) -> None:
    async def begun() -> bool:
        await running.host.runner.turn()
        return gone.is_set()

    await eventually_async(begun, within=30)
    await running.host.runner.drain(within=5)


async def test_a_deletion_key_by_key_that_is_killed_between_two_parts_is_gone_on_with_and_ends_exact(
    installation: Installation, visits: Visits
) -> None:
    with killed_after(5) as gone:
        async with service(installation, visits) as first:
            asked = await first.asked(EMAIL)
            await first.hear(*asked.facts())
            await until(first, gone)
    assert await visits.left() == VISITS - 5 * PART + OTHERS + 2

    async with service(installation, visits) as second:
        resolution, outcome = await goes_on(second, asked)

        assert (resolution, outcome.erased) == ("complete", VISITS + 1)
    assert await visits.left() == OTHERS + 1
