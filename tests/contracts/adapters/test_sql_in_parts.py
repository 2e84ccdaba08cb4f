"""What is more than one transaction should hold goes in parts, and leaves what it would have left in one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.fulfillment.adapters.sql import parts
from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Outcome,
    StillPresent,
    Subject,
)
from services.fulfillment.progress import timed
from services.fulfillment.rowwise import changing
from shared.tasks.work import Claimed, LeaseLostError
from tests.contracts.adapters.conftest import postgresql_shop
from tests.contracts.adapters.test_bad_input import CIRCLE, IN_A_CIRCLE, system
from tests.support.shop import CUT_OFF, Shop, sqlite_shop, subject

KEY = "0123456789abcdef"
Fresh = Callable[[], Awaitable[Shop]]
Content = Mapping[str, list[tuple[Any, ...]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.connected)])
async def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Fresh]:
    """Gives a filled shop as often as it is asked for; on a server it takes the place of the one before."""
    names = count()
    async with AsyncExitStack() as opened:

        async def make() -> Shop:
            home = tmp_path / str(next(names))
            home.mkdir()
            server = request.param == "postgresql"
            shop = (
                await postgresql_shop(request.getfixturevalue("postgresql"), home)
                if server
                else sqlite_shop(home)
            )
            opened.push_async_callback(shop.close)
            return await shop.open()

        yield make


@pytest.fixture
async def in_a_file(tmp_path: Path) -> AsyncIterator[Shop]:
    """Where the kind of database makes no difference."""
    shop = await sqlite_shop(tmp_path).open()
    yield shop
    await shop.close()


def in_parts(shop: Shop, transaction_rows: int = 1) -> Adapter:
    few = Limits(chunk_rows=2, transaction_rows=transaction_rows, connect_seconds=2, statement_seconds=2)
    return shop.adapter(shop.system(limits=few))


async def act(adapter: Adapter, right: str = "delete", who: Subject | None = None) -> tuple[Frozen, Outcome]:
    frozen = await adapter.find(who or subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen, await adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=KEY)


async def wholly(shop: Shop, right: str = "delete") -> tuple[Content, Done]:
    """What one transaction makes of it."""
    _, outcome = await act(shop.adapter(), right)
    assert isinstance(outcome, Done)
    return await shop.content(), outcome


@pytest.mark.parametrize(("right", "transaction_rows"), [("delete", 2), ("opt_out", 1)])
async def test_many_transactions_leave_and_say_what_one_does(
    fresh: Fresh, right: str, transaction_rows: int
) -> None:
    content, whole = await wholly(await fresh(), right)
    shop = await fresh()
    adapter = in_parts(shop, transaction_rows)

    frozen, outcome = await act(adapter, right)

    assert isinstance(outcome, Done)
    assert outcome.receipt.datasets == whole.receipt.datasets
    assert await shop.content() == content
    assert isinstance(await adapter.prove(right, frozen, cut_off=CUT_OFF), Gone)


async def test_who_is_killed_after_any_part_is_gone_on_with_by_the_next_and_ends_exact(fresh: Fresh) -> None:
    content, _ = await wholly(await fresh())
    shop = await fresh()
    adapter = in_parts(shop)
    frozen = await adapter.find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    left = list[int]()

    for survived in range(9, 17):
        with suppress(LeaseLostError):
            async with timed(dying(after=survived), 60):
                await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
        proof = await adapter.prove("delete", frozen, cut_off=CUT_OFF)
        left.append(proof.count if isinstance(proof, StillPresent) else 0)
    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert len(set(left)) > 2, "it died at several places"
    assert left == sorted(left, reverse=True)
    assert isinstance(outcome, Done)
    assert await shop.content() == content


def dying(*, after: int) -> Claimed:
    """A task whose attempt loses its lease once it got so much further."""
    steps = iter(range(after))

    async def goes_on() -> None:
        if next(steps, None) is None:
            raise LeaseLostError

    nobody, now = UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC)
    return Claimed(
        task_id=nobody, request_id=nobody, key="act:shop:delete", handler="act", purpose="act", body={},
        epoch=1, attempts=1, settle=False, urgency=now, goes_on=goes_on,
    )  # fmt: skip


async def test_what_one_attempt_has_no_time_for_is_the_next_one_s_and_each_does_some(
    in_a_file: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = in_parts(in_a_file)
    frozen = await adapter.find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    monkeypatch.setattr(changing, "ACT_SECONDS", 0)
    outcome: Outcome | None = None
    left = list[int]()

    while not isinstance(outcome, Done):
        outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
        proof = await adapter.prove("delete", frozen, cut_off=CUT_OFF)
        left.append(proof.count if isinstance(proof, StillPresent) else 0)
        assert left.count(left[-1]) == 1

    assert len(left) > 3
    assert left[-1] == 0


async def test_nothing_goes_while_a_newer_row_refers_to_any_of_it(in_a_file: Shop) -> None:
    shop = in_a_file
    await shop.order_on_old_account()
    before = await shop.content()

    _, outcome = await act(in_parts(shop))

    assert outcome == NeedsPerson("refused", "rows of customers are referred to by other rows of orders")
    assert await shop.content() == before


async def test_rows_that_can_only_go_together_are_a_person_s_when_they_are_too_many(
    in_a_file: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = in_a_file
    before = await shop.content()
    monkeypatch.setattr(parts, "MOST_TOGETHER", 1)

    _, outcome = await act(in_parts(shop))

    assert outcome == NeedsPerson(
        "unbounded",
        "more than 1 rows of customers can only go together, for they refer to each other: delete them by hand, and end"
        " the task with habeas decide complete",
    )
    assert await shop.content() == before


@pytest.mark.connected
async def test_a_circle_of_tables_goes_in_one_part(postgresql_only: Shop) -> None:
    shop = postgresql_only
    circle = await system(shop, CIRCLE, *IN_A_CIRCLE)
    adapter = shop.adapter(circle.model_copy(update={"limits": Limits(transaction_rows=1)}))

    _, outcome = await act(adapter, who=Subject({"email": "ada@example.com"}))

    assert isinstance(outcome, Done)
    assert {one.dataset: one.erased for one in outcome.receipt.datasets} == {"people": 1, "accounts": 1}
    assert await shop.rows("people") == [("2", "bob@example.com", "8")]


@pytest.mark.connected
async def test_what_a_database_refuses_in_the_middle_is_looked_at_again_and_not_taken_for_nothing(
    postgresql_only: Shop,
) -> None:
    shop = postgresql_only
    await shop.fail_on_delete("customers")

    frozen, outcome = await act(in_parts(shop))

    assert isinstance(outcome, Ambiguous)
    assert isinstance(await shop.adapter().prove("delete", frozen, cut_off=CUT_OFF), StillPresent)
