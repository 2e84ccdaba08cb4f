"""Fulfillment on its real database: sealed claims, tasks, and who is joined to whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.fulfillment.answer_files import AnswerFiles
from services.fulfillment.ports import Ambiguous
from services.fulfillment.storage import FulfillmentStore
from shared.events.commands import CompleteTask
from shared.events.envelope import Raw
from shared.hosting import open_resources
from shared.keyfiles import KeyFiles
from shared.machine.decision import Message
from shared.outbox.shards import SHARDS
from shared.signing import CommandIdentity, sign_command
from tests.support.facts import RECEIVED_AT, closed, withdrawn
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.memory_system import MemorySystem, Row, connected, memory_system

pytestmark = pytest.mark.connected
EMAIL = "ada.canary@example.com"


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.sealed"))


async def gauges(service: FulfillmentHost) -> dict[str, float]:
    """What the service's gauges say now, by their names without `habeas_`."""
    await service.host.health.measure()
    registry = service.host.meters.registry
    samples = [sample for metric in registry.collect() for sample in metric.samples if not sample.labels]
    return {sample.name.removeprefix("habeas_"): sample.value for sample in samples}


@pytest.fixture
async def bare(installations: Installations) -> Installation:
    """An installation without topics: nothing here is published."""
    return await installations.make(topics=())


@pytest.fixture
def systems() -> list[MemorySystem]:
    ada, bob = {"email": EMAIL}, {"email": "bob@example.com"}
    return [
        memory_system(name, Row("people", 1, ada), Row("people", 2, bob)) for name in ("crm", "dms", "mail")
    ]


@pytest.fixture
async def service(bare: Installation, systems: list[MemorySystem]) -> AsyncIterator[FulfillmentHost]:
    async with fulfillment_host(bare, [connected(each) for each in systems]) as opened:
        yield opened


async def test_a_verified_deletion_is_done_everywhere_and_ends_once(
    service: FulfillmentHost, systems: list[MemorySystem]
) -> None:
    asked = await service.asked(EMAIL)

    await service.hear(*asked.facts())
    await service.run_tasks()

    ends = await service.fulfilled(asked.request_id)
    assert [(end.resolution, len(end.systems)) for end in ends] == [("complete", 3)]
    assert all(len(system.effective()) == 1 for system in systems)
    assert all([row.key for row in system.rows] == [2] for system in systems)


async def test_a_doubtful_call_ends_on_a_person_s_word_and_leaves_no_task_open(
    service: FulfillmentHost,
    bare: Installation,
    systems: list[MemorySystem],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blind = replace(systems[0].capabilities, verify=False, idempotency_key=False, naturally_idempotent=False)
    monkeypatch.setattr(systems[0], "capabilities", blind)
    systems[0].after["act"].append(lambda: Ambiguous("the answer was lost"))
    asked = await service.asked(EMAIL)
    await service.hear(*asked.facts())
    await service.run_tasks()
    await service.hurry()
    await service.run_tasks()
    assert (await gauges_of_tasks(service))["needs_person"] == 1
    word = CompleteTask(
        task="act:crm:delete",
        outcome="done",
        actor="operator",
        reason="seen in its console",
        evidence="SUP-4711",
    )

    (answer,) = await service.hear(
        _signed(bare, asked.messages.command(word, at=RECEIVED_AT, source="habeas/cli"))
    )
    await service.run_tasks()

    assert answer.refusal is None
    (end,) = await service.fulfilled(asked.request_id)
    assert {one.system: one.evidence for one in end.systems} == {"crm": "SUP-4711", "dms": None, "mail": None}
    assert sum((await gauges_of_tasks(service)).values()) == 0


def _signed(installation: Installation, command: Message) -> Message:
    """As the command line signs it."""
    identity = CommandIdentity(
        source=command.source,
        id=str(command.id),
        type=command.ce_type,
        subject=str(command.request_id),
        actor=getattr(command.body, "actor", ""),
    )
    value = command.body.model_dump_json().encode()
    key = KeyFiles(installation.settings.keys).cli()
    raw = Raw(command.topic, 0, 0, str(command.request_id).encode(), (), value)
    return replace(command, raw=raw, signature=sign_command(value, identity, key))


async def gauges_of_tasks(service: FulfillmentHost) -> dict[str, int]:
    """How many tasks are open, by state."""
    return await service.host.tasks.open_by_state()


async def test_a_replay_changes_no_row_and_no_ledger_line(
    service: FulfillmentHost, systems: list[MemorySystem]
) -> None:
    asked = await service.asked(EMAIL)
    facts = asked.facts()
    await service.hear(*facts)
    await service.run_tasks()
    rows, ledger = await service.everything(), [list(system.ledger) for system in systems]

    await service.hear(*facts)
    await service.hear(*reversed(facts))
    await service.run_tasks()

    assert await service.everything() == rows
    assert [system.ledger for system in systems] == ledger


async def test_an_answer_to_know_is_filed_and_removed_once_its_key_is_destroyed(
    service: FulfillmentHost, bare: Installation
) -> None:
    asked = await service.asked(EMAIL, "know_specific")
    await service.hear(*asked.facts("know_specific"))
    await service.run_tasks()
    (end,) = await service.fulfilled(asked.request_id)
    assert end.package is not None
    files = AnswerFiles(bare.settings.packages_folder)
    requests_of = FulfillmentStore(service.resources.pool).requests_of

    assert await files.remove_forgotten(requests_of, service.resources.vault) == 0
    async with AsyncExitStack() as stack:
        closing = await open_resources(bare.settings, "deadline", stack)
        await closing.vault.destroy([asked.request_id], "closed")
        later = await open_resources(bare.settings, "fulfillment", stack)
        removed = await files.remove_forgotten(requests_of, later.vault)

    assert removed == 4
    assert not files_in(bare.settings.packages_folder)


async def test_forgotten_answers_are_removed_by_the_service_s_own_chores(
    service: FulfillmentHost, bare: Installation, systems: list[MemorySystem]
) -> None:
    asked = await service.asked(EMAIL, "know_specific")
    await service.hear(*asked.facts("know_specific"))
    await service.run_tasks()
    filed = files_in(bare.settings.packages_folder)
    async with AsyncExitStack() as stack:
        closing = await open_resources(bare.settings, "deadline", stack)
        await closing.vault.destroy([asked.request_id], "closed")

    async with fulfillment_host(bare, [connected(each) for each in systems]) as restarted:
        for chore in restarted.host.parts.chores:
            await chore(RECEIVED_AT)

    assert len(filed) == len(systems) + 1
    assert not files_in(bare.settings.packages_folder)


async def test_the_gauges_tell_of_what_waits_for_a_person(service: FulfillmentHost) -> None:
    asked = await service.asked(EMAIL)
    before = await gauges(service)
    spoiled = "INSERT INTO cases (request_id, opened_month, body) VALUES ($1, '2026-02-01', '{}}')"
    await service.resources.pool.execute(spoiled, asked.request_id)

    await service.hear(*asked.facts())

    after = await gauges(service)
    assert (before["cases_blocked"], before["dead_letters_open"]) == (0, 0)
    assert (after["cases_blocked"], after["dead_letters_open"]) == (1, 1)


async def test_the_gauges_tell_of_shards_that_no_relay_holds(service: FulfillmentHost) -> None:
    before = await gauges(service)

    await service.host.relay.turn()

    assert before["outbox_shards_free"] == SHARDS
    assert (await gauges(service))["outbox_shards_free"] == 0


async def test_two_requests_of_one_subject_in_one_batch_are_joined(service: FulfillmentHost) -> None:
    first, second = await service.asked(EMAIL), await service.asked(EMAIL)

    await service.hear(*first.facts(), *second.facts())
    cases = [await service.case(each.request_id) for each in (first, second)]
    await service.run_tasks()
    await service.hurry()
    await service.run_tasks()

    assert sorted(case.stage for case in cases) == ["acting", "joining"]
    ends = [end for each in (first, second) for end in await service.fulfilled(each.request_id)]
    assert sorted(end.resolution for end in ends) == ["complete", "duplicate"]


async def test_of_many_at_the_same_time_exactly_one_is_the_first(service: FulfillmentHost) -> None:
    asked = [await service.asked(EMAIL) for _ in range(12)]

    await asyncio.gather(*(service.hear(*each.facts()) for each in asked))

    stages = [(await service.case(each.request_id)).stage for each in asked]
    assert sorted(stages) == ["acting"] + ["joining"] * 11
    firsts = {(await service.case(each.request_id)).duplicate_of for each in asked} - {None}
    assert len(firsts) == 1


async def test_batches_that_cross_do_not_block_each_other(service: FulfillmentHost) -> None:
    subjects = [f"1:{letter * 64}" for letter in "bcdef"]
    forth = [(await service.asked(EMAIL)).facts(subject_hash=subject) for subject in subjects]
    back = [(await service.asked(EMAIL)).facts(subject_hash=subject) for subject in reversed(subjects)]

    results = await asyncio.gather(
        service.hear(*[fact for facts in forth for fact in facts]),
        service.hear(*[fact for facts in back for fact in facts]),
    )

    assert {result.status for batch in results for result in batch} == {"applied"}
    owners = await service.resources.pool.fetchval(
        "SELECT count(*) FROM open_subject WHERE subject_hash IS NOT NULL"
    )
    assert owners == len(subjects)


@pytest.mark.parametrize(
    "difference", [{"right": "opt_out"}, {"business": "rainier"}, {"subject_hash": "1:b"}]
)
async def test_another_right_business_or_subject_is_not_the_same(
    service: FulfillmentHost, difference: dict[str, str]
) -> None:
    first, second = await service.asked(EMAIL), await service.asked(EMAIL)
    await service.hear(*first.facts())

    await service.hear(*second.facts(**difference))

    assert (await service.case(second.request_id)).duplicate_of is None


async def test_an_unverified_claim_joins_nobody(service: FulfillmentHost) -> None:
    first, second = await service.asked(EMAIL), await service.asked(EMAIL)
    await service.hear(*first.facts(conclusion="not_needed"))

    await service.hear(*second.facts(conclusion="not_needed"))

    assert await service.resources.pool.fetchval("SELECT count(*) FROM open_subject") == 0


async def test_once_the_first_has_ended_a_later_one_runs_by_itself(service: FulfillmentHost) -> None:
    first, second = await service.asked(EMAIL), await service.asked(EMAIL)
    await service.hear(*first.facts())
    await service.run_tasks()

    await service.hear(*second.facts())
    await service.run_tasks()

    assert [end.resolution for end in await service.fulfilled(second.request_id)] == ["nothing_found"]


async def test_a_first_that_is_withdrawn_leaves_the_second_to_run(
    service: FulfillmentHost, systems: list[MemorySystem]
) -> None:
    first, second = await service.asked(EMAIL), await service.asked(EMAIL)
    await service.hear(*first.facts())
    await service.hear(*second.facts())

    await service.hear(first.messages.event(withdrawn(), at=RECEIVED_AT))
    for _ in range(3):
        await service.run_tasks()
        await service.hurry()

    assert [end.resolution for end in await service.fulfilled(first.request_id)] == ["withdrawn"]
    assert [end.resolution for end in await service.fulfilled(second.request_id)] == ["complete"]
    assert all(len(system.effective()) == 1 for system in systems)


async def test_the_subject_is_forgotten_when_the_request_is_closed(service: FulfillmentHost) -> None:
    asked = await service.asked(EMAIL)
    await service.hear(*asked.facts())
    await service.run_tasks()

    await service.hear(asked.messages.event(closed(), at=RECEIVED_AT + timedelta(days=1)))

    hashes = await service.resources.pool.fetch("SELECT subject_hash FROM open_subject")
    assert [row["subject_hash"] for row in hashes] == [None]
    assert (await service.case(asked.request_id)).closed_at is not None


@pytest.mark.parametrize("together", [True, False])
async def test_a_subject_heard_of_with_or_after_the_closing_is_forgotten_too(
    service: FulfillmentHost, *, together: bool
) -> None:
    asked = await service.asked(EMAIL)
    received, concluded = asked.facts()
    over = asked.messages.event(closed(), at=RECEIVED_AT + timedelta(days=1))
    await service.hear(received)

    for batch in [(over, concluded)] if together else [(over,), (concluded,)]:
        await service.hear(*batch)
    hashes = await service.resources.pool.fetch("SELECT subject_hash FROM open_subject")

    assert [row["subject_hash"] for row in hashes] == [None]


async def test_no_table_holds_the_person(service: FulfillmentHost) -> None:
    asked = await service.asked(EMAIL, "know_specific")
    await service.hear(*asked.facts("know_specific"))
    await service.run_tasks()

    assert "canary" not in str(await service.everything()).lower()
