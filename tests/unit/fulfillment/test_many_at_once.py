"""A call for many requests names itself to the system by a key of its own, as a call for one does."""

import asyncio
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import cast

from services.fulfillment.bulk import Gathered, Order, Shown, Sought, abreast, key_of_all
from services.fulfillment.ports import Adapter, Export, Frozen, Subject
from tests.support.shop import CUT_OFF

ORDERS = [Order(Frozen({}), CUT_OFF, letter * 64) for letter in "abcd"]


def test_two_calls_share_a_key_only_when_they_are_about_the_same_requests() -> None:
    keys = [key_of_all(chosen) for number in range(2, 5) for chosen in combinations(ORDERS, number)]

    assert len(set(keys)) == len(keys)
    assert key_of_all(ORDERS[::-1]) == key_of_all(ORDERS)


async def test_whose_chunk_ends_first_does_not_get_what_is_anothers() -> None:
    """Each chunk ends only when the next one has: in the reverse of their order."""
    chunks = [ORDERS[:1], ORDERS[1:3], ORDERS[3:]]
    ended = {id(chunk): asyncio.Event() for chunk in chunks}
    next_one = {id(chunk): ended[id(after)] for chunk, after in pairwise(chunks)}

    async def receipts(chunk: Sequence[Order]) -> list[str]:
        if after := next_one.get(id(chunk)):
            await after.wait()
        ended[id(chunk)].set()
        return [f"receipt of {one.idempotency_key}" for one in chunk]

    given = await abreast(receipts, chunks, len(chunks))

    assert given == [f"receipt of {one.idempotency_key}" for one in ORDERS]


class Named:
    """A system that finds for each who was asked for."""

    async def find_many(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        return [Frozen({subject.seeds["email"]: ((1,),)}) for subject, _ in sought]

    async def export_many(self, shown: Sequence[Shown]) -> list[Export | None]:
        return [Export(next(iter(one.frozen.rows)), (), ()) for one in shown]


async def test_whoever_is_searched_and_shown_with_others_gets_their_own() -> None:
    adapter = Gathered(cast("Adapter", Named()))
    names = [f"{number}@example.com" for number in range(7)]

    found = await asyncio.gather(*(adapter.find(Subject({"email": n}), cut_off=CUT_OFF) for n in names))
    shown = await asyncio.gather(
        *(adapter.export(one, cut_off=CUT_OFF) for one in found if isinstance(one, Frozen))
    )

    assert [list(one.rows) for one in found if isinstance(one, Frozen)] == [[name] for name in names]
    assert [one.system for one in shown if isinstance(one, Export)] == names


class Slow:
    """A system whose first answer takes as long as it is told to."""

    def __init__(self) -> None:
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.seen: list[int] = []

    async def find_many(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        self.seen.append(len(sought))
        self.is_asked.set()
        if len(self.seen) == 1:
            await self.may_answer.wait()
        return [Frozen({}) for _ in sought]

    async def export_many(self, shown: Sequence[Shown]) -> list[Export | None]:
        raise NotImplementedError


async def test_who_comes_while_a_search_takes_long_is_searched_together_and_does_not_wait_for_it() -> None:
    slow = Slow()
    adapter = Gathered(cast("Adapter", slow))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(adapter.find(Subject({}), cut_off=CUT_OFF))
        await slow.is_asked.wait()

        others = await asyncio.gather(*(adapter.find(Subject({}), cut_off=CUT_OFF) for _ in range(3)))

        assert others == [Frozen({})] * 3
        assert slow.seen == [1, 3]
        assert not first.done()
        slow.may_answer.set()
    assert first.result() == Frozen({})
