"""However the demonstration is told to end, nothing that it started stays."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from shared.events.topics import SERVICES
from tests.support.eventually import eventually

pytestmark = pytest.mark.durable
# What a shell starts with `&` is deaf to Ctrl-C from its birth, and so is every child.
DEAF = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from deploy.cli.main import main
sys.argv = ["habeas", "demo", "--requests", "11", "--home", sys.argv[1]]
main()
"""


@pytest.mark.timeout(300)
def test_a_demonstration_that_is_told_to_end_early_leaves_no_process(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    running = subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", DEAF, str(home)], stdout=subprocess.PIPE, text=True
    )
    eventually((home / "run" / "deadline.url").exists, within=150)
    started = at_work_in(home)

    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=150)

    assert running.returncode == 1
    assert "told to end before that; every process was stopped" in said
    assert len(started) > len(SERVICES), "servers, services and vendors were at work"
    assert at_work_in(home) == set()


def at_work_in(home: Path) -> set[int]:
    """The processes that were told of this folder, by word or by environment."""
    told = os.fsencode(home)
    return {
        int(one.parent.name) for one in Path("/proc").glob("[0-9]*/environ") if told in _known_to(one.parent)
    }


def _known_to(process: Path) -> bytes:
    with suppress(OSError):
        return (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    return b""
