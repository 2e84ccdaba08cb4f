"""The example for upstream systems is run as its readers would run it."""

import asyncio
import json
import sys
from pathlib import Path
from uuid import UUID

import pytest

from shared.events.deadline import RequestClosed
from tests.support.running import Running
from tests.support.town import leaves_nothing

pytestmark = pytest.mark.connected

EXAMPLE = Path("examples/upstream/publish.py")


async def test_what_the_example_publishes_is_received_and_closed(running: Running) -> None:
    person = running.town.somebody(leaves_nothing)
    claims = {
        "right": "opt_out",
        "residency": "US-CA",
        "channel": "phone",
        "received_at": running.clock.now().isoformat(),
        "email": person.email,
    }
    running.town.changed.append(person)

    request_id = await _published(running, "call-2026-000123", claims=json.dumps(claims))

    closed = await running.tape.wait(request_id, RequestClosed)
    assert closed.resolution == "complete"
    assert not (await running.town.audit()).not_opted_out(person)


async def test_what_the_example_takes_back_is_withdrawn(running: Running) -> None:
    person = running.town.somebody(leaves_nothing)
    claims = {
        "right": "delete",
        "residency": "US-CA",
        "channel": "phone",
        "received_at": running.clock.now().isoformat(),
        "email": person.email,
    }
    request_id = await _published(running, "call-2026-000124", claims=json.dumps(claims))
    await running.mailbox.wait(request_id, "verification_code")

    assert await _published(running, "call-2026-000124", "--withdraw") == request_id

    assert (await running.tape.wait(request_id, RequestClosed)).resolution == "withdrawn"


async def _published(running: Running, submission: str, *more: str, claims: str = "") -> UUID:
    """Run the example; the request id that it prints."""
    settings = running.settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLE), "--intake", running.intake, "--kafka", settings.kafka_bootstrap),
        *("--namespace", settings.namespace, "--source", "upstream/call-center"),
        *("--submission", submission, *more),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate(claims.encode())
    assert process.returncode == 0, complaints.decode()
    return UUID(printed.decode().strip())
