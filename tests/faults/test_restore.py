"""A service's database is restored from an older dump; `habeas recover`, and nothing is lost or done twice."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.events.deadline import RequestClosed
from tests.faults.dumps import dump, restore
from tests.faults.trial import trial
from tests.faults.world import World
from tests.support.eventually import eventually_async

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault, pytest.mark.long]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("service", ["fulfillment", "verification", "intake"])
async def test_a_service_restored_from_an_older_dump_recovers(
    world: World, service: str, tmp_path: Path
) -> None:
    file, installation, tape = tmp_path / "older.dump", world.running.installation, world.running.tape
    async with trial(world, f"{service} restored from an older dump") as found:
        await found.ask(6)
        await dump(installation, service, file)
        begin = tape.count(RequestClosed)
        await found.ask(12, each=0.2)
        await tape.until(lambda: tape.count(RequestClosed) >= begin + 4, within=100, what="some closings")

        assert "stop it" in (await _recover(world, service))["refused"]
        world.services.kill(service)
        found.inject()
        await restore(installation, service, file)
        # A member that was killed stays one until its session has run out.
        told = await eventually_async(lambda: _recovered(world, service), within=60)
        assert told["events"] > 0
        assert (await _recover(world, service))["events"] == 0
        found.lift()
        await world.restart(service)
        await found.ask(4)


async def _recovered(world: World, service: str) -> dict[str, Any]:
    told = await _recover(world, service)
    assert "refused" not in told, told
    return told


async def _recover(world: World, service: str) -> dict[str, Any]:
    """What the command says, as an operator types it."""
    words = ("-m", "deploy.cli.main", "recover", service, "--actor", "drill", "--json")
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        env=world.environment | {"PATH": "", "PYTHONPATH": ":".join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, refused = await running.communicate()
    found: dict[str, Any] = json.loads(said) if running.returncode == 0 else {"refused": refused.decode()}
    return found
