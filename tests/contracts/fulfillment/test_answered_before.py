"""When the same person was answered before, of the real table: what counts towards a limit and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.fulfillment.domain.reviewing import AnsweredBefore
from services.fulfillment.limited import KEPT, Limited
from shared.machine.ports import CaseRow, Writes
from shared.machine.storage import PostgresStore
from shared.policy.rights import Right
from tests.support.facts import RECEIVED_AT
from tests.support.subject_worlds import MONTH, Person

pytestmark = pytest.mark.connected
KNOW = frozenset({Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES})
MARCH, JUNE = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 6, 1, 9, tzinfo=UTC)


def somebody() -> Person:
    return Person(f"1:{uuid4().hex}")


class Register:
    """The table, and one person who asks."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.store = PostgresStore(pool)
        self.limited = Limited(pool, KNOW)
        self.person = somebody()

    async def verified(self, request_id: UUID, right: str = "know_specific", **said: Any) -> dict[UUID, Any]:
        async with self.store.transaction() as transaction:
            await transaction.lock([request_id], MONTH)
            message = self.person.verified(request_id, right=right, **said)
            return await self.limited.answered_before(transaction, [message])

    async def ended(
        self, received_at: datetime, resolution: str = "complete", right: str = "know_specific"
    ) -> UUID:
        """A request that came on that day and ended."""
        request_id = uuid4()
        await self.verified(request_id, right)
        async with self.store.transaction() as transaction:
            rows = await transaction.lock([request_id], MONTH)
            body = f'{{"received_at": "{received_at.isoformat()}", "resolution": "{resolution}"}}'
            await transaction.write(
                Writes(cases=[CaseRow(request_id, rows[request_id].opened_month, body=body)])
            )
        return request_id


@pytest.fixture
def register(fulfillment_pool: asyncpg.Pool) -> Register:
    return Register(fulfillment_pool)


async def test_who_asks_for_the_first_time_was_not_answered_before(register: Register) -> None:
    assert await register.verified(uuid4()) == {}


async def test_answered_requests_are_found_with_the_days_on_which_they_came(register: Register) -> None:
    await register.ended(JUNE, "partial")
    await register.ended(MARCH)
    third = uuid4()

    assert await register.verified(third) == {third: AnsweredBefore((MARCH, JUNE))}


async def test_a_copy_and_the_categories_are_counted_together(register: Register) -> None:
    await register.ended(MARCH, right="know_categories")
    second = uuid4()

    assert await register.verified(second) == {second: AnsweredBefore((MARCH,))}


@pytest.mark.parametrize("resolution", ["denied", "withdrawn", "duplicate", "nothing_found"])
async def test_what_brought_no_answer_does_not_count(register: Register, resolution: str) -> None:
    await register.ended(MARCH, resolution)

    assert await register.verified(uuid4()) == {}


async def test_other_people_other_businesses_and_other_rights_do_not_count(register: Register) -> None:
    await register.ended(MARCH)
    hers = register.person

    assert await register.verified(uuid4(), right="delete") == {}
    for other in (somebody(), Person(hers.subject_hash, "harbour")):
        register.person = other
        assert await register.verified(uuid4()) == {}


async def test_who_could_not_be_verified_leaves_no_row(register: Register) -> None:
    await register.ended(MARCH)

    assert await register.verified(uuid4(), conclusion="failed") == {}


async def test_what_was_found_once_is_found_again(register: Register) -> None:
    await register.ended(MARCH)
    second = uuid4()
    once = await register.verified(second)

    assert await register.verified(second) == once


async def test_what_no_law_looks_back_on_is_forgotten(register: Register) -> None:
    await register.ended(MARCH)

    await register.limited.forget(RECEIVED_AT + KEPT + timedelta(days=1))

    assert await register.verified(uuid4()) == {}
