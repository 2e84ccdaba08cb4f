"""One server of the stack: how it is started, when it is ready, what its death says to a person."""

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local import processes
from deploy.local.errors import PortTakenError, StackError, StillHeldError, disk_full
from deploy.local.processes import Spawned, StopPlan
from deploy.local.state import State

STARTING_MAY_TAKE = 90.0
HELD_MAY_LAST = 10.0
ROTATE_AT_BYTES = 5_000_000

_TERM, _INT, _QUIT, _KILL = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL
# PostgreSQL reads SIGINT as "fast" and SIGQUIT as "immediate" shutdown.
STOP_PLANS: dict[str, StopPlan] = {
    "mail": ((_TERM, 5), (_KILL, 5)),
    "kafka": ((_TERM, 20), (_KILL, 5)),
    "light": ((_INT, 10), (_KILL, 5)),
    "postgres": ((_INT, 20), (_QUIT, 5), (_KILL, 5)),
}


@dataclass(frozen=True)
class Server:
    """`launch` starts the process, `ready` says whether it truly answers."""

    name: str
    title: str
    log: Path
    launch: Callable[[], Spawned]
    ready: Callable[[], bool]


def ensure(server: Server, state: State) -> bool:
    """Running and ready afterwards; true when it had to be started."""
    if state.running(server.name) and _answers(server, state):
        return False
    held_until = time.monotonic() + HELD_MAY_LAST
    while True:
        try:
            return _start(server, state)
        except StillHeldError:
            if time.monotonic() > held_until:
                raise
            time.sleep(0.3)


def _answers(server: Server, state: State) -> bool:
    """Whether what runs is ready; what was dying when it was looked at is started like what had died before."""
    process = state.processes[server.name]
    try:
        _wait(server, state)
    except StackError:
        if processes.alive(process):
            raise
        return False
    return True


def halt(name: str, state: State) -> None:
    """Stop one process of ours if it is still that process."""
    process = state.processes.get(name)
    if process is not None and not processes.stop(process, STOP_PLANS[name.partition("-")[0]]):
        raise StackError(f"{name} (pid {process.pid}) does not end even when killed; restart the machine.")
    state.stopped(name)


def log_of(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def _start(server: Server, state: State) -> bool:
    _rotate(server.log)
    begin = _size(server.log)
    state.started(server.name, server.launch())
    try:
        _wait(server, state, begin)
    except BaseException:
        halt(server.name, state)
        raise
    return True


def _wait(server: Server, state: State, begin: int | None = None) -> None:
    """Until it answers; `begin` is where its log stood before it was started."""
    process, seen = state.processes[server.name], _size(server.log) if begin is None else begin
    deadline = time.monotonic() + STARTING_MAY_TAKE
    while not server.ready():
        if state.interrupted.is_set():
            raise StackError(f"The start of {server.title} was interrupted; run `habeas stack up` again.")
        if not processes.alive(process):
            raise _last_words(server, seen)
        if time.monotonic() > deadline:
            raise StackError(
                f"{server.title} (pid {process.pid}) runs but does not answer; "
                f"run `habeas stack down` and `habeas stack up`, and see {server.log}."
            )
        time.sleep(0.05)


def _last_words(server: Server, begin: int) -> StackError:
    """What a dead server's log says, from this start on, as one sentence with a remedy."""
    said = _read_from(server.log, begin)
    if "No space left on device" in said:
        return disk_full(server.log.parent)
    if "address already in use" in said.lower():
        return PortTakenError(
            f"The port of {server.title} was taken by another program; run `habeas stack up` again."
        )
    if re.search(
        r'postmaster\.pid" already exists|shared memory block .* still in use|acquire lock on file', said
    ):
        return StillHeldError(
            f"Another process still uses the data of {server.title}; end it, then run this again."
        )
    return StackError(
        f"{server.title} stopped while starting; mend what {server.log} tells: {_telling_line(said)}"
    )


def _telling_line(said: str) -> str:
    """The last line that names an error, else the last one that is no part of a stack trace."""
    lines = [
        line.strip()
        for line in said.splitlines()
        if line.strip() and not line.startswith(("\tat ", "    at "))
    ]
    errors = [line for line in lines if re.search(r"\b(ERROR|FATAL|PANIC|Error|\w+Exception)\b", line)]
    return (errors or lines or ["nothing"])[-1][:300]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read_from(path: Path, begin: int) -> str:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(200_000).decode(errors="replace")


def _rotate(log: Path) -> None:
    if _size(log) > ROTATE_AT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
