"""`habeas suppression check`: who may not be asked to opt in again, and from when they may."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from shared.clock import SystemClock
from shared.keyfiles import KeyFiles, init_keys
from shared.privacy.suppression import suppression_hash
from tests.support.http_server import serving

TODAY = SystemClock().now().date()
SOON, LONG_AGO = TODAY + timedelta(days=40), TODAY - timedelta(days=40)
WAITS, MAY_BE_ASKED, DELETED = "ada@example.com", "bob@example.com", "eve@example.com"
PEOPLE = f"{WAITS}\n{MAY_BE_ASKED}\n{DELETED}\nnobody@example.com\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    init_keys(tmp_path / "keys")
    return tmp_path


@pytest.fixture
async def fulfillment(home: Path) -> AsyncIterator[str]:
    """The page of the service, which knows three people."""
    keyring = KeyFiles(home / "keys").lookup()
    ada, bob, eve = (
        suppression_hash(keyring, "cascadia", "email", one) for one in (WAITS, MAY_BE_ASKED, DELETED)
    )
    service = FastAPI()

    @service.post("/suppression/check")
    def check() -> dict[str, object]:
        return {
            "suppressed": {ada: ["opt_out"], bob: ["limit", "opt_out"], eve: ["delete"]},
            "ask_again_from": {ada: str(SOON), bob: str(LONG_AGO)},
        }

    async with serving(service) as address:
        yield address


async def run(home: Path, url: str, *words: str) -> Result:
    said = ["suppression", "check", "-", "--business", "cascadia", "--home", str(home), "--url", url, *words]
    return await asyncio.to_thread(CliRunner().invoke, app, said, PEOPLE)


async def test_it_names_the_day_from_which_somebody_may_be_asked_again(home: Path, fulfillment: str) -> None:
    answer = await run(home, fulfillment, "--json")

    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["suppressed"] == [
        {"line": 1, "rights": ["opt_out"], "ask_again_from": str(SOON)},
        {"line": 2, "rights": ["limit", "opt_out"], "ask_again_from": str(LONG_AGO)},
        {"line": 3, "rights": ["delete"]},
    ]


async def test_before_asking_only_those_are_named_whom_nobody_may_ask_today(
    home: Path, fulfillment: str
) -> None:
    answer = await run(home, fulfillment, "--asking")

    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == [
        f"line 1: opt_out (not to be asked to opt in before {SOON})",
        "1 of 4 may not be asked today",
    ]
