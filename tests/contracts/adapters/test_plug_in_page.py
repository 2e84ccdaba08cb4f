"""The page on plugging in a database: its commands run as they stand there, and it names every key there is."""

import asyncio
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from services.fulfillment.adapters.sql import open_adapter
from services.fulfillment.datamap.additions import CollectionAdditions, FieldAdditions, Retention
from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.datamap.systems import Limits, SystemFile
from services.fulfillment.ports import Done, Frozen, Subject

PAGE = Path("docs/plug-in-your-database.md").read_text()
CUT_OFF = datetime(2026, 6, 1, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def test_its_commands_run_word_for_word_and_say_what_it_shows(tmp_path: Path) -> None:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    typed = "set -e\n" + "\n".join(blocks("sh"))

    ran = await asyncio.to_thread(
        subprocess.run, ["/bin/sh", "-c", typed], cwd=tmp_path, env={**os.environ, "PATH": programs},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == blocks("text")[0].strip()
    await _serves_a_deletion(tmp_path)


async def _serves_a_deletion(folder: Path) -> None:
    """What was typed is enough to serve a request."""
    (system,) = load_systems(folder / "systems", home=folder / "home")
    adapter = open_adapter(system)
    found = await adapter.find(Subject({"email": "Ana@example.com"}), cut_off=CUT_OFF)
    assert isinstance(found, Frozen)
    outcome = await adapter.act("delete", found, cut_off=CUT_OFF, idempotency_key="key")
    await adapter.close()
    assert isinstance(outcome, Done)
    counts = {count.dataset: (count.erased, len(count.retained)) for count in outcome.receipt.datasets}
    assert counts == {"customers": (1, 0), "orders": (1, 0), "invoices": (0, 1)}


@pytest.mark.parametrize("model", [SystemFile, Limits, CollectionAdditions, FieldAdditions, Retention])
def test_it_names_every_key(model: type[BaseModel]) -> None:
    missing = [name for name in model.model_fields if f"`{name}`" not in PAGE and f"{name}:" not in PAGE]

    assert missing == []


def test_the_limits_that_it_states_are_the_real_ones() -> None:
    stated = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| (\d+) \|$", PAGE, re.MULTILINE))

    assert {name: float(value) for name, value in stated.items()} == Limits().model_dump()
