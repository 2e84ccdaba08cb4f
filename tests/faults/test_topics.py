"""A topic is deleted with all its records, made anew, and filled again from the outbox."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from deploy import topics
from deploy.cli.main import app
from shared.events.fulfillment import RequestFulfilled
from shared.events.topics import SERVICES, VERIFIED
from shared.events.verification import VerificationConcluded
from tests.faults.rest import at_rest
from tests.faults.trial import Trial, trial
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.kafka_records import read
from tests.support.requester import Requester

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

# What a record that comes again may not change. A resync is in the chain of its request, and so in its case's head.
KEPT = {
    "cases": "request_id, body, business, applied, sent, closed_at, wake_at",
    "tasks": "*",
    "kept": "*",
    "applied_commands": "*",
}
HEARD = "SELECT applied::text LIKE '%dsar.verified%' FROM fulfillment.cases WHERE request_id = '{request_id}'"


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_topic_that_was_deleted_is_made_anew_and_filled_again_from_the_outbox(world: World) -> None:
    running, tape = world.running, world.running.tape
    async with trial(world, "a topic deleted, made anew and filled again") as found:
        ended = await found.ask(6)
        await tape.until(lambda: not found.in_flight, within=100, what="all closings")
        await at_rest(world)
        waiting = await _asked_and_all_ended(found)
        lost = {(one.key, one.value) for one in tape.on(VERIFIED.name)}
        before = await _kept(world, [one.request_id for one in ended])
        effects = await (await running.town.audit()).effects()

        await tape.stop()
        await _made_anew(world)
        found.inject()
        await tape.start()
        await running.start(*SERVICES)
        assert await _records(world, at_least=0) == set()
        assert await world.rows(HEARD.format(request_id=waiting.request_id)) in ([], [(False,)])
        assert tape.find(waiting.request_id, RequestFulfilled) is None
        assert await (await running.town.audit()).effects() == effects
        await _send_again(world)

        await tape.wait(waiting.request_id, RequestFulfilled, within=100)
        assert await _records(world, at_least=len(lost)) == lost
        assert await _kept(world, [one.request_id for one in ended]) == before


async def _asked_and_all_ended(found: Trial) -> Requester:
    """Somebody whose verification fulfillment has not heard of when every service has ended."""
    await found.world.terminate("fulfillment")
    waiting = await found.ask_one("delete")
    await found.world.running.tape.wait(waiting.request_id, VerificationConcluded)
    for service in ("intake", "verification", "deadline"):
        await found.world.terminate(service)
    return waiting


async def _made_anew(world: World) -> None:
    """As an operator would, with every reader and the writer ended: a reader's place in the old one means nothing."""
    settings = world.running.settings
    name = settings.namespace + VERIFIED.name
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([name])

        async def gone() -> bool:
            return name not in await admin.list_topics()

        await eventually_async(gone, within=30)
    finally:
        await admin.close()
    assert (await topics.apply(settings)).created == (name,)


async def _send_again(world: World) -> None:
    """As an operator types it."""
    installation = world.running.installation
    words = ["resync", "--topic", VERIFIED.name, "--actor", "jdoe", "--database", installation.admin_url]
    ended = await asyncio.to_thread(CliRunner().invoke, app, words, env=world.environment)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("verification ")


async def _records(world: World, *, at_least: int) -> set[tuple[bytes | None, bytes | None]]:
    """What lies on the topic now."""
    settings = world.running.settings
    found = await read(
        settings.kafka_bootstrap, settings.namespace + VERIFIED.name, at_least=at_least, polls=50
    )
    return {(one.key, one.value) for one in found}


async def _kept(world: World, requests: Sequence[UUID]) -> list[list[tuple[object, ...]]]:
    """The rows of these requests that nobody may change any more."""
    ids = ", ".join(f"'{one}'" for one in requests)
    return [
        await world.rows(
            f"SELECT {columns} FROM {service}.{table} WHERE request_id IN ({ids}) ORDER BY {table}::text"  # noqa: S608 - our own names
        )
        for service in SERVICES
        for table, columns in KEPT.items()
    ]
