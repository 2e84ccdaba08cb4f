"""What fulfillment may rely on when it asks who asked for the same before, of whatever keeps that."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from tests.support.subject_worlds import Person, SubjectWorld, closing, ended, take, taking

LATER = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Person:
    """Nobody else's test knows her."""
    return Person(f"1:{uuid4().hex}")


@pytest.fixture
def first() -> UUID:
    return uuid4()


@pytest.fixture
def second() -> UUID:
    return uuid4()


async def test_the_first_request_of_a_subject_joins_nobody(
    world: SubjectWorld, ada: Person, first: UUID
) -> None:
    assert await take(world, ada.verified(first)) == {}


async def test_the_second_for_the_same_right_joins_the_first(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    await take(world, ada.verified(first))

    assert await take(world, ada.verified(second)) == {second: first}


async def test_two_in_one_batch_are_joined(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    found = await take(world, ada.verified(first), ada.verified(second))

    assert found in ({first: second}, {second: first})


async def test_another_right_another_subject_and_another_business_join_nobody(
    world: SubjectWorld, ada: Person, first: UUID
) -> None:
    await take(world, ada.verified(first))

    assert await take(world, ada.verified(uuid4(), right="opt_out")) == {}
    assert await take(world, Person(f"1:{uuid4().hex}").verified(uuid4())) == {}
    assert await take(world, Person(ada.subject_hash, "harbour").verified(uuid4())) == {}


async def test_whoever_failed_verification_neither_owns_nor_joins(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    assert await take(world, ada.verified(first, conclusion="failed")) == {}
    assert await take(world, ada.verified(second)) == {}
    assert await take(world, ada.verified(uuid4(), conclusion="failed")) == {}


async def test_what_was_found_once_is_found_again(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    await take(world, ada.verified(first))
    await take(world, ada.verified(second))
    await ended(world, first, closed_at=LATER)
    await take(world, closing(first))

    assert await take(world, ada.verified(second)) == {second: first}
    assert await take(world, ada.verified(first)) == {}


async def test_an_owner_that_has_ended_gives_way_to_the_next(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    third = uuid4()
    await take(world, ada.verified(first))
    await ended(world, first)

    assert await take(world, ada.verified(second)) == {}
    assert await take(world, ada.verified(third)) == {third: second}


async def test_a_closed_owner_is_forgotten(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    await take(world, ada.verified(first))
    await take(world, closing(first))

    assert await take(world, ada.verified(second)) == {}


async def test_an_owner_that_closes_in_the_same_batch_is_joined_by_nobody(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    await take(world, ada.verified(first))

    assert await take(world, closing(first), ada.verified(second)) == {}
    assert await take(world, ada.verified(uuid4())) != {}


async def test_a_request_that_is_verified_after_its_closing_owns_nothing(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    await ended(world, first, closed_at=LATER)

    assert await take(world, ada.verified(first)) == {}
    assert await take(world, ada.verified(second)) == {}


async def test_a_request_that_is_verified_and_closed_at_once_owns_nothing(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    assert await take(world, closing(first), ada.verified(first)) == {}
    assert await take(world, ada.verified(second)) == {}


async def test_a_batch_that_fails_has_claimed_nothing(
    world: SubjectWorld, ada: Person, first: UUID, second: UUID
) -> None:
    async def fail() -> None:
        async with taking(world, ada.verified(first)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await take(world, ada.verified(second)) == {}


async def test_of_many_at_the_same_time_one_is_the_first_of_all(world: SubjectWorld, ada: Person) -> None:
    requests = [uuid4() for _ in range(8)]

    found = await asyncio.gather(*(take(world, ada.verified(one)) for one in requests))

    joined = {request_id: first for one in found for request_id, first in one.items()}
    assert len(joined) == len(requests) - 1
    assert set(joined.values()) == set(requests) - joined.keys()


async def test_nobody_joins_a_request_whose_batch_failed(world: SubjectWorld, ada: Person) -> None:
    requests = [uuid4() for _ in range(8)]
    failing = set(requests[::2])

    async def attempt(request_id: UUID) -> dict[UUID, UUID]:
        with suppress(ZeroDivisionError):
            async with taking(world, ada.verified(request_id)) as found:
                if request_id in failing:
                    raise ZeroDivisionError
                return found
        return {}

    found = await asyncio.gather(*(attempt(one) for one in requests))

    joined = {request_id: first for one in found for request_id, first in one.items()}
    assert len(joined) == len(requests) - len(failing) - 1
    assert set(joined.values()) == set(requests) - failing - joined.keys()
