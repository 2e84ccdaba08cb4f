"""A hold on a system, placed over Kafka and released over HTTP by the command line: everything else goes on."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from shared.private_files import read_private
from tests.support.eventually import eventually_async
from tests.support.proven import assert_told
from tests.support.requester import ask
from tests.support.running import Running, environment
from tests.support.town import has_everything

pytestmark = pytest.mark.connected
SYSTEM = "cascadia-dms"
_WAITS = "SELECT run_at FROM tasks WHERE request_id = $1 AND key = $2 AND attempts > 0 AND state = 'queued'"


async def said(running: Running, *words: str) -> Any:
    env = environment(running.installation)
    answer = await asyncio.to_thread(CliRunner().invoke, app, ["holds", *words, "--json"], env=env)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


async def test_a_system_on_hold_keeps_what_it_has_until_the_release_and_the_others_go_on(
    running: Running,
) -> None:
    home, url = str(running.settings.home), running.services.url("fulfillment")
    why = ("--reason", "an audit of sales", "--actor", "counsel")
    what = ("--business", "cascadia", "--system", SYSTEM, "--evidence", "LEGAL-9")
    placed = await said(running, "place", *what, *why, "--home", home)
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "delete", proof="code")

    await requester.prove()

    fulfillment = await asyncpg.connect(
        read_private(running.settings.database_url_file("fulfillment")).decode()
    )
    try:
        key = f"act:{SYSTEM}:delete"
        waits = await eventually_async(
            lambda: fulfillment.fetchval(_WAITS, requester.request_id, key), within=60
        )
    finally:
        await fulfillment.close()
    assert waits > running.clock.now() + timedelta(minutes=30)
    (listed,) = (await said(running, "list", "--url", url))["holds"]
    assert (listed["hold_id"], listed["name"], listed["evidence"]) == (placed["hold_id"], SYSTEM, "LEGAL-9")

    await said(running, "release", placed["hold_id"], *why, "--http", "--url", url, "--home", home)

    assert (await requester.closed()).resolution == "partial"  # what an exemption covers stays
    assert (await running.town.audit()).rows_left(person) == ()
    await assert_told(requester)
