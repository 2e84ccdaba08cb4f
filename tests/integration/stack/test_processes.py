"""A pid is not a process: only what we started, known by its start time, is ever ended."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import pieces, processes, stack, state
from deploy.local.errors import StackError
from deploy.local.pieces import Server
from deploy.local.processes import Spawned

WAITS = [sys.executable, "-c", "import signal; signal.pause()"]
KILL = ((signal.SIGKILL, 5.0),)


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Spawned]:
    """A living process that no stack started."""
    process = processes.spawn(WAITS, log=tmp_path / "stranger.log")
    yield process
    processes.stop(process, KILL)


def test_a_process_with_another_start_time_is_not_the_recorded_one(stranger: Spawned) -> None:
    recorded = Spawned(stranger.pid, "another boot/1")

    assert processes.alive(stranger)
    assert not processes.alive(recorded)
    assert processes.stop(recorded, KILL)
    assert processes.alive(stranger)


def test_a_stale_entry_is_reported_and_its_pid_s_new_owner_left_alone(
    tmp_path: Path, stranger: Spawned
) -> None:
    kept = state.State(tmp_path, broker="kafka")
    kept.started("mail", Spawned(stranger.pid, "another boot/1"))

    assert [one.state for one in stack.status(tmp_path).components] == ["stopped", "stopped", "stale"]
    stack.down(tmp_path)
    assert processes.alive(stranger)
    assert [one.state for one in stack.status(tmp_path).components] == ["stopped"] * 3


def test_a_process_that_ignores_the_polite_signal_is_killed_after_the_deadline(tmp_path: Path) -> None:
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    )
    log = tmp_path / "deaf.log"
    process = processes.spawn([sys.executable, "-c", deaf], log=log)
    pieces.ensure(server(tmp_path, process, ready=lambda: log.read_text() != ""), state.State(tmp_path))

    assert processes.stop(process, ((signal.SIGTERM, 0.1), (signal.SIGKILL, 5.0)))
    assert not processes.alive(process)


def test_an_unreadable_state_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({"ports": "none"}))

    with pytest.raises(StackError, match=r"stack\.json cannot be read; .* delete it"):
        stack.status(tmp_path)


@pytest.mark.parametrize(
    ("last_words", "sentence"),
    [
        ("write error: No space left on device", "is full; free some space"),
        (
            "could not bind: Address already in use",
            "was taken by another program; run `habeas stack up` again",
        ),
        ("ERROR Exiting Kafka\n\tat kafka.Kafka.main(Kafka.scala:87)", "ERROR Exiting Kafka$"),
        ("", "tells: nothing"),
    ],
)
def test_a_server_that_dies_while_starting_is_explained(
    tmp_path: Path, last_words: str, sentence: str
) -> None:
    speaks = [sys.executable, "-c", "import sys; print(sys.argv[1])", last_words]
    dying = processes.spawn(speaks, log=tmp_path / "server.log")

    with pytest.raises(StackError, match=sentence):
        pieces.ensure(server(tmp_path, dying, ready=lambda: False), state.State(tmp_path))


def server(folder: Path, process: Spawned, *, ready: object) -> Server:
    assert callable(ready)
    return Server("mail", "The server", folder / "server.log", lambda: process, ready)
