"""A service's database is restored from an older dump; `habeas recover`, and nothing is lost or done twice."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.migrate import with_database
from shared.events.deadline import RequestClosed
from shared.private_files import read_private
from shared.vault import PostgresKeys
from shared.vault.ports import WrappedKey
from tests.faults.dumps import dump, restore
from tests.faults.trial import trial
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.installation import Installation, Installations
from tests.support.machine import request
from tests.support.proven import answers, assert_gap_free, assert_told, certified
from tests.support.requester import Requester

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

DESTROYED = """
WITH one AS (
  INSERT INTO deadline.cases (request_id, opened_month) VALUES ($1, '2026-01-01') RETURNING request_id
)
INSERT INTO deadline.tasks (task_id, request_id, key, handler, purpose, state, body, urgency, run_at)
SELECT request_id, request_id, 'destroy_key', 'destroy_key', 'document', 'done', '{}', now(), now() FROM one
"""


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("service", ["fulfillment", "verification", "intake", "deadline"])
async def test_a_service_restored_from_an_older_dump_recovers(
    world: World, service: str, tmp_path: Path
) -> None:
    file, url, tape = tmp_path / "older.dump", world.running.installation.admin_url, world.running.tape
    async with trial(world, f"{service} restored from an older dump") as found:
        found.told = told_again if service == "deadline" else assert_told
        await found.ask(6)
        await dump(url, service, file)
        begin = tape.count(RequestClosed)
        await found.ask(12, each=0.2)
        await tape.until(lambda: tape.count(RequestClosed) >= begin + 4, within=100, what="some closings")

        assert "stop it" in (await _recover(world.environment, service))["refused"]
        world.services.kill(service)
        found.inject()
        await restore(url, service, file)
        # A member that was killed stays one until its session has run out.
        told = await eventually_async(lambda: _recovered(world, service), within=60)
        assert told["events"] > 0
        assert (await _recover(world.environment, service))["events"] == 0
        found.lift()
        await world.restart(service)
        await found.ask(4)


async def told_again(requester: Requester) -> None:
    """What deadline had closed in the lost time it closes again: the new closing names the new certificate."""
    told = requester.running.tape.about(requester.request_id)
    assert_gap_free(told)
    assert len(answers(told)) == 1
    await certified(requester, told)


async def test_keys_that_were_destroyed_after_the_vault_s_backup_are_destroyed_again(
    fault_installations: Installations, tmp_path: Path
) -> None:
    installation = await fault_installations.make(topics=())
    url = with_database(installation.stack.database_url, installation.databases.vault)
    file, one = tmp_path / "vault.dump", request(1)
    async with keys_of(installation, "intake") as keys:
        await keys.create([(one, WrappedKey(b"wrapped", "1"))])
    await dump(url, "vault", file)
    async with keys_of(installation, "deadline") as keys, installation.admin() as admin:
        await keys.destroy([one], "closed")
        await admin.execute(DESTROYED, one)
    await restore(url, "vault", file)
    async with keys_of(installation, "intake") as keys:
        assert [key.wrapped is None for key in await keys.open([one])] == [False]

    told = await _recover(installation.environment, "vault", as_json=False)

    assert told["said"].startswith("vault: 1 keys")
    async with keys_of(installation, "intake") as keys:
        assert [key.wrapped is None for key in await keys.open([one])] == [True]


@asynccontextmanager
async def keys_of(installation: Installation, service: str) -> AsyncIterator[PostgresKeys]:
    connection = await asyncpg.connect(read_private(installation.databases.vault_url_file(service)).decode())
    try:
        yield PostgresKeys(connection)
    finally:
        await connection.close()


async def _recovered(world: World, service: str) -> dict[str, Any]:
    told = await _recover(world.environment, service)
    assert "refused" not in told, told
    return told


async def _recover(environment: dict[str, str], service: str, *, as_json: bool = True) -> dict[str, Any]:
    """What the command says, as an operator types it."""
    words = [
        "-m",
        "deploy.cli.main",
        "recover",
        service,
        "--actor",
        "drill",
        *(["--json"] if as_json else []),
    ]
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        env=environment | {"PATH": "", "PYTHONPATH": ":".join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, refused = await running.communicate()
    if running.returncode:
        return {"refused": refused.decode()}
    found: dict[str, Any] = json.loads(said) if as_json else {"said": said.decode()}
    return found
