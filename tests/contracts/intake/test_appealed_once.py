"""Two appeals against one answer, on the real table: one of them is taken, also when both come at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.intake.appealed import Appeals
from services.intake.domain import IntakeCase, IntakeDomain
from services.intake.submission import First, Follows
from shared.events.commands import RequestSubmitted
from shared.events.intake import Linked, RequestReceived, SubmissionRefused
from shared.machine.decision import Message
from shared.machine.ports import CaseRow, Writes
from shared.machine.storage import PostgresStore
from shared.policy import Right
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.eventually import eventually_async
from tests.support.front_desk import NOW, UPSTREAM, StandingClock, upstream_submission
from tests.support.regimes import as_if_offered
from tests.support.subject_worlds import MONTH

pytestmark = pytest.mark.connected
REGIMES = {"us-co-cpa": as_if_offered("us-co-cpa")}
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO appeals%'"


class Desk:
    """Intake's store with the register of appeals."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.store = PostgresStore(pool)
        self.register = Appeals(REGIMES, StandingClock())

    async def already(self, *messages: Message) -> dict[UUID, UUID]:
        """What a batch is told in its transaction, which commits at once."""
        async with self.taking(*messages) as found:
            return found

    @asynccontextmanager
    async def taking(self, *messages: Message) -> AsyncIterator[dict[UUID, UUID]]:
        """A batch in its open transaction."""
        async with self.store.transaction() as transaction:
            await transaction.lock([message.request_id for message in messages], MONTH)
            yield await self.register.already(transaction, messages)

    async def holds(self, request_id: UUID, case: IntakeCase) -> None:
        async with self.store.transaction() as transaction:
            rows = await transaction.lock([request_id], MONTH)
            row = CaseRow(request_id, rows[request_id].opened_month, body=case.model_dump_json())
            await transaction.write(Writes(cases=[row]))

    async def waiting(self) -> bool:
        return bool(await self.pool.fetchval(WAITS))


@pytest.fixture
def desk(intake_pool: asyncpg.Pool) -> Desk:
    return Desk(intake_pool)


def appeal(denied: UUID, request_id: UUID | None = None, **first: Any) -> Message:
    """An upstream system's appeal, as it is judged."""
    known = First(
        business="cascadia", regime="us-co-cpa", right=Right.DELETE, is_answered=True, resolution="denied"
    )
    follows = Follows(kind="appeal", request_id=denied, first=known.model_copy(update=first))
    found = upstream_submission().model_copy(update={"right": Right.APPEAL, "follows": follows})
    messages = Messages(request_id or uuid4())
    return messages.command(RequestSubmitted(claims="x"), at=NOW, facts=found, source=UPSTREAM)


def case_of(denied: UUID, **more: Any) -> IntakeCase:
    linked = Linked(kind="appeal", request_id=denied, right=Right.DELETE)
    return IntakeCase(business="cascadia", linked=linked, received_at=NOW, **more)


async def test_the_second_appeal_against_an_answer_is_told_of_the_first(desk: Desk) -> None:
    denied, one, other = uuid4(), uuid4(), uuid4()

    assert await desk.already(appeal(denied, one)) == {}
    await desk.holds(one, case_of(denied))

    assert await desk.already(appeal(denied, other)) == {other: one}
    assert await desk.already(appeal(denied, one)) == {}


async def test_of_two_in_one_batch_the_first_is_taken(desk: Desk) -> None:
    denied, one, other = uuid4(), uuid4(), uuid4()

    assert await desk.already(appeal(denied, one), appeal(denied, other)) == {other: one}


async def test_of_two_that_come_at_once_by_two_processes_one_is_taken(desk: Desk) -> None:
    denied, one, other = uuid4(), uuid4(), uuid4()

    async with asyncio.TaskGroup() as tasks, desk.taking(appeal(denied, one)) as first:
        second = tasks.create_task(desk.already(appeal(denied, other)))
        await eventually_async(desk.waiting, within=10)

    assert (first, second.result()) == ({}, {other: one})


@pytest.mark.parametrize(
    "wrong",
    [{"is_answered": False}, {"resolution": "complete"}, {"business": "rainier"}, {"regime": "us-ca-ccpa"}],
)
async def test_an_appeal_that_is_refused_for_another_reason_takes_nobodys_place(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    denied = uuid4()

    assert await desk.already(appeal(denied, **wrong), appeal(denied)) == {}


@pytest.mark.parametrize(
    "ended",
    [
        {"withdrawn_at": NOW},
        {"refused": "unknown_request", "linked": None},
        {
            "verified": {"conclusion": "failed", "right": "appeal"},
            "ending": {"right": "appeal", "resolution": "denied", "fulfilled_at": NOW},
        },
    ],
    ids=["withdrawn", "refused", "unverified"],
)
async def test_an_appeal_that_nobody_judged_gives_way_to_the_next(desk: Desk, ended: dict[str, Any]) -> None:
    denied, one, other = uuid4(), uuid4(), uuid4()
    await desk.already(appeal(denied, one))
    said = case_of(denied).model_dump() | ended
    await desk.holds(one, IntakeCase.model_validate(said))

    assert await desk.already(appeal(denied, other)) == {}
    assert await desk.already(appeal(denied)) != {}


async def test_an_appeal_that_was_lost_stays_the_only_one(desk: Desk) -> None:
    denied, one, other = uuid4(), uuid4(), uuid4()
    await desk.already(appeal(denied, one))
    lost = {"right": "appeal", "resolution": "denied", "fulfilled_at": NOW}
    verified = {"conclusion": "verified", "right": "appeal"}
    await desk.holds(
        one, IntakeCase.model_validate(case_of(denied).model_dump() | {"ending": lost, "verified": verified})
    )

    assert await desk.already(appeal(denied, other)) == {other: one}


async def test_an_appeal_that_a_restore_brings_back_counts(desk: Desk) -> None:
    denied, one, other = uuid4(), uuid4(), uuid4()
    linked = Linked(kind="appeal", request_id=denied, right=Right.DELETE)
    body = facts.received().model_copy(update={"linked": linked})

    assert await desk.already(Messages(one).event(body, at=NOW + timedelta(days=1))) == {}
    assert await desk.already(appeal(denied, other)) == {other: one}


@pytest.mark.parametrize("claimed", [True, False])
def test_the_one_that_comes_too_late_is_refused_with_its_reason(claimed: bool) -> None:  # noqa: FBT001 - of this test alone
    driver = DomainDriver(IntakeDomain(REGIMES), NOW)
    driver.facts = uuid4() if claimed else None

    driver.deliver(appeal(uuid4(), uuid4()))

    assert [one.reason for one in driver.bodies(SubmissionRefused)] == (
        ["already_appealed"] if claimed else []
    )
    assert len(driver.bodies(RequestReceived)) == (0 if claimed else 1)
