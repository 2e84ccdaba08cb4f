"""Many people at once, on everything that an adapter is tested on: each as if they had been alone."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from services.fulfillment.bulk import Gathered, Order, act_many, prove_many
from services.fulfillment.ports import (
    Adapter,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Nothing,
    Outcome,
    Proof,
    StillPresent,
    Subject,
)
from tests.support.shop import CUT_OFF, ERASED, FOUND, Shop, subject

BOB = Subject({"email": "bob@example.com"})


async def orders(adapter: Adapter) -> tuple[Order, Order]:
    """Ada's rows and Bob's, bound to cut-offs of their own."""
    ada = await adapter.find(subject(), cut_off=CUT_OFF)
    bob = await adapter.find(BOB, cut_off=CUT_OFF + timedelta(seconds=1))
    assert isinstance(ada, Frozen)
    assert isinstance(bob, Frozen)
    assert ada.rows
    assert bob.rows
    return Order(ada, CUT_OFF, "a" * 64), Order(bob, CUT_OFF + timedelta(seconds=1), "b" * 64)


async def test_each_gets_a_receipt_of_their_own_and_the_proof_agrees(shop: Shop) -> None:
    adapter = shop.adapter()
    both = await orders(adapter)
    assert all(isinstance(one, StillPresent) for one in await prove_many(adapter, "delete", both))

    outcomes = await act_many(adapter, "delete", both)

    receipts = [one.receipt for one in outcomes if isinstance(one, Done)]
    erased = [{count.dataset: count.erased for count in receipt.datasets} for receipt in receipts]
    assert {name: erased[0][name] for name in ERASED} == {name: len(FOUND[name]) for name in ERASED}
    assert [receipt.cut_off for receipt in receipts] == [one.cut_off for one in both]
    assert len({receipt.digest for receipt in receipts}) == 2
    proofs = await prove_many(adapter, "delete", both)
    assert all(isinstance(one, Gone) for one in proofs), proofs


async def test_the_second_time_nothing_is_done_to_anybody(shop: Shop) -> None:
    adapter = shop.adapter()
    both = await orders(adapter)
    await act_many(adapter, "delete", both)
    before = await shop.content()

    outcomes = await act_many(adapter, "delete", both)

    counts = [count for one in outcomes if isinstance(one, Done) for count in one.receipt.datasets]
    assert not any(count.erased or count.deidentified for count in counts)
    assert await shop.content() == before


async def test_of_two_of_whom_one_is_done_already_only_the_other_is_counted(shop: Shop) -> None:
    adapter = shop.adapter()
    ada, bob = await orders(adapter)
    await adapter.act("delete", bob.frozen, cut_off=bob.cut_off, idempotency_key=bob.idempotency_key)
    assert isinstance((await prove_many(adapter, "delete", [ada, bob]))[0], StillPresent)

    outcomes = await act_many(adapter, "delete", [ada, bob])

    erased = [
        {c.dataset: c.erased for c in one.receipt.datasets} for one in outcomes if isinstance(one, Done)
    ]
    assert {name: erased[0][name] for name in ERASED} == {name: len(FOUND[name]) for name in ERASED}
    assert not any(erased[1].values())
    assert all(isinstance(one, Gone) for one in await prove_many(adapter, "delete", [ada, bob]))


async def test_who_cannot_be_done_is_for_a_person_and_the_others_are_done(shop: Shop) -> None:
    adapter = shop.adapter()
    both = await orders(adapter)
    await shop.order_on_old_account()

    ada, bob = await act_many(adapter, "delete", both)

    assert isinstance(ada, NeedsPerson)
    assert ada.kind == "refused"
    assert isinstance(bob, Done)


async def test_an_opt_out_is_set_for_each_and_proved(shop: Shop) -> None:
    adapter = shop.adapter()
    both = await orders(adapter)

    outcomes = await act_many(adapter, "opt_out", both)

    changed = [sum(c.corrected for c in one.receipt.datasets) for one in outcomes if isinstance(one, Done)]
    assert len(changed) == 2
    assert min(changed) > 0
    assert all(isinstance(one, Gone) for one in await prove_many(adapter, "opt_out", both))


class Counted:
    """Something for many that says how many came at a time."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    async def act_many(self, right: str, listed: Sequence[Order]) -> list[Outcome]:
        assert right == "delete"
        self.seen.append(len(listed))
        return [Nothing("no row is held") for _ in listed]

    async def prove_many(self, right: str, listed: Sequence[Order]) -> list[Proof]:
        raise NotImplementedError

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        (one,) = await self.act_many(right, [Order(frozen, cut_off, idempotency_key)])
        return one


async def test_calls_that_come_at_once_go_together() -> None:
    counted = Counted()
    adapter = Gathered(cast("Adapter", counted))

    async with asyncio.TaskGroup() as calls:
        for _ in range(5):
            calls.create_task(adapter.act("delete", Frozen({}), cut_off=CUT_OFF, idempotency_key="k"))

    assert sum(counted.seen) == 5
    assert len(counted.seen) < 3
