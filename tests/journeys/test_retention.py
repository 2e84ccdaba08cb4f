"""A closed request's key: planned, held, released, gone; the proof still proves, and nothing can be unsealed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from deploy.demo.processes import Services
from deploy.retention.orders import Order, carry_out
from deploy.retention.plan import digest_of, due_in
from shared.events.deadline import RequestKeyDestroyed
from shared.events.intake import RequestReceived
from shared.events.topics import LIFECYCLE
from shared.keyfiles import KeyFiles
from shared.private_files import read_private
from shared.vault import KeyDestroyed, PostgresKeys, Vault
from tests.support.eventually import eventually_async
from tests.support.installation import Installations
from tests.support.requester import ask
from tests.support.running import Running, environment, four_services
from tests.support.town import Town, has_everything

pytestmark = pytest.mark.connected
YEARS_PASS = timedelta(days=800)


@dataclass(frozen=True)
class Years:
    """Two requests, closed years ago: one that a hold was placed on, and one that nothing keeps."""

    held: UUID
    hold_id: str
    due: UUID


@pytest.fixture(scope="module")
async def running(installations: Installations, town: Town) -> AsyncIterator[Running]:
    """Services of our own: years pass, and nobody else's holiday tables reach so far. Keys go when it is told."""
    told = {"HABEAS_DEADLINE_KEYS": "destroyed_when_told"}
    async with four_services(await installations.make(), town, more=told) as found:
        yield found


@pytest.fixture(scope="module")
async def years(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Years:
    """They pass once for all tests, for nobody can ask anything in years that have no holiday tables yet."""
    held, due = [
        await ask(running, running.town.somebody(has_everything), "opt_out", key=f"closed-years-ago-{number}")
        for number in range(2)
    ]
    await held.closed()
    await due.closed()
    assert b"@" in await unsealed(running, held.request_id)

    # Long before its time: a plan may look ahead, an order may not.
    file = tmp_path_factory.mktemp("early") / "plan.jsonl"
    await said(running, "retention", "plan", "--through", "2040-01-01", "--save", str(file))
    early = await said(running, "retention", "run", str(file), "--yes")
    assert early["refused"]["key_still_needed"] >= 1
    assert (early["destroyed"], early["unanswered"]) == (0, [])

    # The same command as for a request that still runs.
    hold = await said(running, "decide", "hold", str(held.request_id), "--reason", "litigation 24-118")
    running.clock.advance(YEARS_PASS)
    return Years(held.request_id, hold["hold_id"], due.request_id)


async def types(running: Running, *words: str) -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke, app, list(words), env=environment(running.installation)
    )


async def said(running: Running, *words: str) -> Any:
    return json.loads((await types(running, *words, "--json")).stdout)


async def unsealed(running: Running, request_id: UUID) -> bytes:
    """The request's claims, with the rights of intake."""
    received = running.tape.find(request_id, RequestReceived)
    found = next(
        one for one in running.tape.about(request_id) if one.kind == RequestReceived.declared.ce_type
    )
    assert received is not None
    connection = await asyncpg.connect(read_private(running.settings.vault_url_file("intake")).decode())
    try:
        keys = KeyFiles(running.settings.keys)
        vault = Vault(PostgresKeys(connection), keys.kek(), monotonic=time.monotonic)
        await vault.prefetch([request_id])
        return vault.open(request_id, UUID(str(found.id)), "claims", received.claims)
    finally:
        await connection.close()


async def assert_proved(running: Running, request_id: UUID, to: Path) -> None:
    """The certificate, the events and the histories still agree, for whoever has the public key."""
    url, home = running.services.url("deadline"), str(running.settings.home)
    words = ("evidence", "bundle", str(request_id), "--to", str(to), "--url", url, "--home", home)
    made = await said(running, *words)
    assert (made["genuine"], made["faults"]) == (True, [])
    assert made["rows"] > made["events"] > len(LIFECYCLE)
    proof = await said(running, "evidence", "verify", str(to), "--home", home)
    assert (proof["genuine"], proof["certificate"]["request_id"]) == (True, str(request_id))


async def test_a_plan_is_carried_out_once_though_the_service_goes_away_in_the_middle(
    running: Running, years: Years, tmp_path: Path
) -> None:
    request_id, file = years.due, tmp_path / "plan.jsonl"
    await said(running, "retention", "plan", "--save", str(file))
    due = [one.request_id for one in due_in(file)]
    assert due == [request_id]
    assert not await running.has_forgotten(request_id)

    await asyncio.to_thread(running.services.stop, "deadline")
    ended = await carry_out(running.settings, due, Order("officer", digest_of(file)), patience=1)
    assert (ended.destroyed, set(ended.unanswered)) == (0, set(due))
    await running.start("deadline")

    fact = await running.tape.wait(request_id, RequestKeyDestroyed)
    assert fact.plan == digest_of(file)
    await eventually_async(lambda: running.has_forgotten(request_id), within=30)
    again = await said(running, "retention", "run", str(file), "--yes")
    assert again["destroyed"] + again["destroyed_before"] == len(due)
    told = [one for one in running.tape.about(request_id) if one.kind == RequestKeyDestroyed.declared.ce_type]
    assert len(told) == 1


@pytest.fixture
async def by_itself(running: Running) -> AsyncIterator[None]:
    """The deadline service that destroys as soon as nothing needs a key, as it does unless it is told otherwise."""
    usual = {**running.told, "HABEAS_DEADLINE_KEYS": "destroyed_when_due"}
    services = Services(running.settings.home, usual)
    await asyncio.to_thread(running.services.stop, "deadline")
    await asyncio.to_thread(services.start, "deadline")
    yield
    await asyncio.to_thread(services.stop)


@pytest.mark.usefixtures("by_itself")
async def test_a_key_under_a_hold_outlives_its_time_and_goes_with_the_hold(
    running: Running, years: Years, tmp_path: Path
) -> None:
    request_id, file = years.held, tmp_path / "plan.jsonl"
    listed = {"request_id": str(request_id), "business": "cascadia", "hold_id": years.hold_id, "over": True}
    assert listed in (await said(running, "retention", "holds"))["holds"]
    await said(running, "retention", "plan", "--save", str(file))
    [line] = [
        one
        for one in map(json.loads, file.read_text().splitlines())
        if one.get("request_id") == str(request_id)
    ]
    assert line["state"] == "held"
    assert not await running.has_forgotten(request_id)

    words = ("--hold-id", years.hold_id)
    assert (await said(running, "decide", "release", str(request_id), *words))["state"] == "accepted"
    assert listed not in (await said(running, "retention", "holds"))["holds"]
    fact = await running.tape.wait(request_id, RequestKeyDestroyed)

    assert (fact.regime, fact.resolution) == ("us-ca-ccpa", "complete")
    await eventually_async(lambda: running.has_forgotten(request_id), within=30)
    with pytest.raises(KeyDestroyed):
        await unsealed(running, request_id)
    await assert_proved(running, request_id, tmp_path / "proof.zip")
