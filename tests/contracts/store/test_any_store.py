"""What the shell may rely on, of whatever store it runs over."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import pytest

from shared import audit
from shared.events.envelope import Raw
from shared.ids import new_id
from shared.machine.decision import Kept, TaskPlan, TaskStatus
from shared.machine.ports import (
    CaseRow,
    DeadLetter,
    FinishedTask,
    NewTask,
    OutboxRow,
    Parked,
    ParkedKey,
    Writes,
)
from tests.support.machine import NOON, request
from tests.support.store_worlds import StoreWorld, in_order

MONTH = date(2026, 3, 1)
ONE, TWO, THREE = request(1), request(2), request(3)
RECEIVED = "dsar.received"


async def save(world: StoreWorld, writes: Writes, *request_ids: UUID) -> None:
    async with world.store.transaction() as transaction:
        await transaction.lock(request_ids, MONTH)
        await transaction.write(writes)


def a_case(request_id: UUID, **changes: object) -> CaseRow:
    return replace(CaseRow(request_id, MONTH, body="{}"), **changes)  # type: ignore[arg-type]


def a_record(request_id: UUID, sequence: int | None, topic: str = "dsar.verified") -> OutboxRow:
    return OutboxRow(topic, str(request_id), {"ce_id": "1"}, b"value", MONTH, request_id, sequence)


def a_task(request_id: UUID, key: str = "a") -> NewTask:
    plan = TaskPlan(key=key, handler="count", purpose="act", urgency=NOON, body={"n": 1})
    return NewTask(new_id(), request_id, plan, NOON)


def waiting(request_id: UUID, sequence: int | None, *, source: str = "habeas/intake") -> Parked:
    raw = Raw(RECEIVED, 4, 7, b"its own key", (("ce_id", b"x"), ("ce_type", b"t")), b"value")
    return Parked(ParkedKey(request_id, RECEIVED, source, new_id()), sequence, raw)


def a_letter(request_id: UUID | None = None) -> DeadLetter:
    return DeadLetter(new_id(), NOON, Raw(RECEIVED, 1, 2, None, (), b"x"), "bad", "sealed", request_id)


async def a_finish(world: StoreWorld, task: NewTask, epoch: int, status: TaskStatus = "done") -> set[UUID]:
    async with world.store.transaction() as transaction:
        await transaction.lock([task.request_id], MONTH)
        return await transaction.finish([FinishedTask(task.task_id, epoch, status, "{}")])


async def test_what_was_written_is_read_back_by_the_next_who_locks(world: StoreWorld) -> None:
    row = a_case(
        ONE,
        business="cascadia",
        body='{"heard":["x"]}',
        applied={RECEIVED: 3},
        sent={"dsar.verified": 2},
        wake_at=NOON,
        closed_at=NOON,
    )

    await save(world, Writes(cases=[row]), ONE)

    async with world.store.transaction() as transaction:
        assert await transaction.lock([ONE], date(2027, 1, 1)) == {ONE: row}


async def test_missing_cases_are_inserted_and_the_month_is_that_of_the_first_time(world: StoreWorld) -> None:
    async with world.store.transaction() as transaction:
        found = await transaction.lock([TWO, ONE, TWO], MONTH)

    assert {row.opened_month for row in found.values()} == {MONTH}
    assert found.keys() == {ONE, TWO}
    async with world.store.transaction() as transaction:
        again = await transaction.lock([ONE], date(2027, 1, 1))
    assert again[ONE].opened_month == MONTH


async def test_an_exception_leaves_nothing_behind(world: StoreWorld) -> None:
    async def fail() -> None:
        async with world.store.transaction() as transaction:
            await transaction.lock([ONE], MONTH)
            await transaction.write(Writes(cases=[a_case(ONE)], outbox=[a_record(ONE, 1)], dead=[a_letter()]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await world.case(ONE) is None
    assert await world.outbox() == []
    assert await world.letters() == []


async def test_what_an_exception_took_away_is_begun_again_beside_what_is_there_and_what_is_new(
    world: StoreWorld,
) -> None:
    """The store may have remembered that it began it."""
    await save(world, Writes(cases=[a_case(TWO)]), TWO)

    async def fail() -> None:
        async with world.store.transaction() as transaction:
            await transaction.lock([ONE], MONTH)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with world.store.transaction() as transaction:
        found = await transaction.lock([THREE, TWO, ONE], MONTH)
        await transaction.write(Writes(cases=[a_case(ONE), a_case(THREE)]))

    assert {request_id: row.body for request_id, row in found.items()} == {ONE: None, TWO: "{}", THREE: None}
    assert [await world.case(each) for each in (ONE, THREE)] == [a_case(ONE), a_case(THREE)]


async def test_of_two_who_begin_a_case_at_once_the_second_waits_and_goes_on_from_the_first(
    world: StoreWorld,
) -> None:
    begun = asyncio.Event()

    async def first() -> None:
        async with world.store.transaction() as transaction:
            await transaction.lock([ONE], MONTH)
            begun.set()
            for _ in range(20):  # time enough for the other to come and wait
                await transaction.lock([THREE], MONTH)
            await transaction.write(Writes(cases=[a_case(ONE, body='{"first":1}')]))

    async def second() -> str | None:
        await begun.wait()
        async with world.store.transaction() as transaction:
            return (await transaction.lock([ONE, TWO], MONTH))[ONE].body

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        waiter = group.create_task(second())

    assert waiter.result() == '{"first":1}'


async def test_nothing_is_seen_before_the_commit(world: StoreWorld) -> None:
    async with world.store.transaction() as transaction:
        await transaction.lock([ONE], MONTH)
        await transaction.write(Writes(cases=[a_case(ONE)], outbox=[a_record(ONE, 1)]))

        assert await world.outbox() == []
        assert await world.case(ONE) is None


async def test_a_second_transaction_waits_for_the_first_and_then_sees_what_it_wrote(
    world: StoreWorld,
) -> None:
    await save(world, Writes(cases=[a_case(ONE), a_case(TWO), a_case(THREE)]), ONE, TWO, THREE)
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with world.store.transaction() as transaction:
            rows = await transaction.lock([THREE, ONE, TWO], MONTH)
            locked.set()
            await go_on.wait()
            await transaction.write(Writes(cases=[replace(rows[TWO], body='{"first":1}')]))

    async def second() -> str | None:
        await locked.wait()
        async with world.store.transaction() as transaction:
            return (await transaction.lock([TWO, THREE], MONTH))[TWO].body

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        waiter = group.create_task(second())
        await locked.wait()
        go_on.set()

    assert waiter.result() == '{"first":1}'


async def test_batches_that_share_cases_in_any_order_never_wait_in_a_circle(world: StoreWorld) -> None:
    ids = [request(number) for number in range(10)]

    async def batch(chosen: Sequence[UUID]) -> None:
        for _ in range(5):
            async with world.store.transaction() as transaction:
                rows = await transaction.lock(chosen, MONTH)
                more = [replace(row, audit_seq=row.audit_seq + 1, body="{}") for row in rows.values()]
                await transaction.write(Writes(cases=more))

    async with asyncio.TaskGroup() as group:
        for chosen in (ids, ids[::-1], ids[::2], ids[::-2], ids[3:7]):
            group.create_task(batch(chosen))

    first, fourth = await world.case(ids[0]), await world.case(ids[4])
    assert first is not None
    assert fourth is not None
    assert (first.audit_seq, fourth.audit_seq) == (15, 20)


async def test_due_cases_come_longest_due_first_and_blocked_ones_never(world: StoreWorld) -> None:
    rows = [
        a_case(ONE, wake_at=NOON),
        a_case(TWO, wake_at=NOON - timedelta(hours=1)),
        a_case(THREE, wake_at=NOON - timedelta(days=1), blocked=True),
        a_case(request(4), wake_at=NOON + timedelta(seconds=1)),
    ]
    await save(world, Writes(cases=rows), *(row.request_id for row in rows))

    assert await world.store.due(NOON, 10) == [TWO, ONE]
    assert await world.store.due(NOON, 1) == [TWO]


async def test_due_cases_that_others_hold_are_left_to_them(world: StoreWorld) -> None:
    rows = [a_case(one, wake_at=NOON) for one in (ONE, TWO, THREE)]
    await save(world, Writes(cases=rows), ONE, TWO, THREE)

    async with world.store.transaction() as holder:
        await holder.lock([TWO], MONTH)
        async with world.store.transaction() as other:
            found = await other.lock_due([ONE, TWO, THREE], NOON)

    assert found.keys() == {ONE, THREE}


async def test_what_is_not_due_any_more_is_not_woken(world: StoreWorld) -> None:
    rows = [
        a_case(ONE, wake_at=NOON),
        a_case(TWO, wake_at=None),
        a_case(THREE, wake_at=NOON, blocked=True),
    ]
    await save(world, Writes(cases=rows), ONE, TWO, THREE)

    async with world.store.transaction() as transaction:
        assert (await transaction.lock_due([ONE, TWO, THREE, request(9)], NOON)).keys() == {ONE}


async def test_commands_are_known_by_request_source_and_number(world: StoreWorld) -> None:
    number = new_id()
    applied = (ONE, "habeas/intake", number)
    await save(world, Writes(commands=[applied]), ONE)

    async with world.store.transaction() as transaction:
        asked = [applied, (TWO, "habeas/intake", number), (ONE, "habeas/cli", number)]
        assert await transaction.seen_commands(asked) == {applied}
        assert await transaction.seen_commands([]) == set()


async def test_a_sequence_is_given_out_once(world: StoreWorld) -> None:
    await save(world, Writes(outbox=[a_record(ONE, 1), a_record(TWO, 1), a_record(ONE, None)]), ONE, TWO)

    with pytest.raises(asyncpg.UniqueViolationError):
        await save(world, Writes(outbox=[a_record(ONE, 1)]), ONE)

    await save(world, Writes(outbox=[a_record(ONE, 2), a_record(ONE, None)]), ONE)
    assert in_order(await world.outbox(), "dsar.verified", ONE) == [1, None, 2, None]


async def test_an_audit_row_has_its_place_for_itself(world: StoreWorld) -> None:
    row = audit.append(audit.GENESIS, audit.AuditEntry(ONE, NOON, "one", {"n": 1, "yes": True, "no": None}))
    other = audit.append(audit.GENESIS, audit.AuditEntry(ONE, NOON, "two"))
    await save(world, Writes(audit=[row]), ONE)

    with pytest.raises(asyncpg.UniqueViolationError):
        await save(world, Writes(audit=[other]), ONE)

    assert await world.audit(ONE) == [row]


async def test_a_task_planned_twice_stays_the_one_that_was_there(world: StoreWorld) -> None:
    first, again, both = a_task(ONE), a_task(ONE), a_task(ONE, "b")

    await save(world, Writes(tasks=[first, both, a_task(ONE, "b")]), ONE)
    await save(world, Writes(tasks=[again, a_task(TWO)]), ONE, TWO)

    kept, other = await world.task(ONE, "a"), await world.task(ONE, "b")
    assert kept is not None
    assert other is not None
    assert (kept.task_id, kept.state, kept.epoch) == (first.task_id, "queued", 0)
    assert other.task_id == both.task_id
    assert await world.task(TWO, "a") is not None


async def test_a_finish_under_another_epoch_or_of_a_task_that_does_not_run_counts_nothing(
    world: StoreWorld,
) -> None:
    task = a_task(ONE)
    await save(world, Writes(tasks=[task]), ONE)

    assert await a_finish(world, task, epoch=0) == set()
    assert await a_finish(world, a_task(ONE), epoch=0) == set()
    found = await world.task(ONE, "a")
    assert found is not None
    assert found.state == "queued"


async def test_a_hurried_task_that_waits_for_a_person_is_looked_at_again(world: StoreWorld) -> None:
    task = a_task(ONE)
    await save(world, Writes(tasks=[task]), ONE)
    later = NOON + timedelta(days=1)

    await save(world, Writes(hurried=[(ONE, "a", later), (ONE, "a", later), (ONE, "unknown", later)]), ONE)

    found = await world.task(ONE, "a")
    assert found is not None
    assert found.state == "queued"


async def test_of_two_fields_kept_under_one_name_the_last_is_remembered(world: StoreWorld) -> None:
    first, second, third = (Kept("code", new_id(), "code", text) for text in ("one", "two", "three"))

    await save(world, Writes(kept=[(ONE, first), (ONE, second), (TWO, first)]), ONE, TWO)
    assert await world.kept(ONE) == {"code": "two"}

    await save(world, Writes(kept=[(ONE, third)]), ONE)
    assert await world.kept(ONE) == {"code": "three"}
    assert await world.kept(TWO) == {"code": "one"}


async def test_parked_records_come_back_as_they_lay_on_their_topic(world: StoreWorld) -> None:
    parked = waiting(ONE, 1)

    await save(world, Writes(parked=[parked, parked]), ONE)
    await save(world, Writes(parked=[parked]), ONE)

    assert await world.store.ready_parked(10) == [parked]
    assert await world.store.oldest_gap_seconds() > 0
    await save(world, Writes(unparked=[parked.key]), ONE)
    assert await world.store.ready_parked(10) == []
    assert await world.store.oldest_gap_seconds() == 0


async def test_parked_records_are_ready_from_the_next_in_sequence_on_and_in_order(world: StoreWorld) -> None:
    gap, run = [waiting(ONE, 3), waiting(ONE, 4)], [waiting(TWO, 7), waiting(TWO, 6), waiting(TWO, 9)]
    cases = [a_case(ONE, applied={RECEIVED: 1}), a_case(TWO, applied={RECEIVED: 5})]
    await save(world, Writes(cases=cases, parked=[*gap, *run]), ONE, TWO)

    assert [one.sequence for one in await world.store.ready_parked(10)] == [6, 7, 9]
    assert [one.sequence for one in await world.store.ready_parked(2)] == [6, 7]


async def test_what_a_blocked_case_parked_waits_until_it_is_free(world: StoreWorld) -> None:
    event, command = waiting(ONE, 1), waiting(ONE, None)
    await save(world, Writes(cases=[a_case(ONE, blocked=True)], parked=[event, command]), ONE)
    assert await world.store.ready_parked(10) == []

    await world.unblock(ONE)

    assert len(await world.store.ready_parked(10)) == 2


async def test_two_sources_may_park_commands_under_one_number(world: StoreWorld) -> None:
    mine = waiting(ONE, None)
    theirs = replace(mine, key=replace(mine.key, source="habeas/cli"))

    await save(world, Writes(parked=[mine, theirs]), ONE)

    assert len(await world.parked()) == 2


async def test_a_letter_is_known_by_its_id_and_written_once(world: StoreWorld) -> None:
    letter = a_letter(ONE)

    await save(world, Writes(dead=[letter]), ONE)
    await save(world, Writes(dead=[replace(letter, sealed="sealed again")]), ONE)

    async with world.store.transaction() as transaction:
        assert await transaction.known_letters([letter.id, new_id()]) == {letter.id}
    (seen,) = await world.letters()
    assert (seen.reason, seen.sealed, seen.request_id) == ("bad", "sealed again", ONE)


async def test_a_case_that_grew_out_of_all_bounds_is_refused(world: StoreWorld) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await save(world, Writes(cases=[a_case(ONE, body="x" * 70_000)]), ONE)
