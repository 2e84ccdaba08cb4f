"""The page on plugging in files: its commands run as they stand there, and are enough to serve a deletion."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from services.fulfillment.adapters.objects import open_adapter
from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.ports import Done, Frozen, Subject
from tests.support.lists import CUT_OFF

PAGE = Path("docs/plug-in-files.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def test_its_commands_run_word_for_word_and_say_what_it_shows(tmp_path: Path) -> None:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    typed = "set -e\n" + "\n".join(blocks("sh"))

    ran = await asyncio.to_thread(
        subprocess.run, ["/bin/sh", "-c", typed], cwd=tmp_path, env={**os.environ, "PATH": programs},
        capture_output=True, text=True, check=False, timeout=120,
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
    assert isinstance(outcome, Done)
    left = await asyncio.to_thread((folder / "lists" / "january.csv").read_text)
    assert left == "id,email,name\n8,bob@example.com,Bob\n"
