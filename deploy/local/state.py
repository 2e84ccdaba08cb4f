"""What the stack remembers between commands, in `stack.json`, and the lock that lets one act at a time."""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.processes import Spawned, alive

WAIT_FOR_OTHERS = 180.0
NOT_WRITTEN = {"home", "interrupted", "_lock"}


@dataclass
class State:
    """Ports stay for the next start; processes only as long as they were not stopped."""

    home: Path
    broker: str = ""  # kafka, light or own; "" before the first start
    brokers: int = 1
    cluster: str = ""
    proxy_port: int | None = None
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Spawned] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    interrupted: threading.Event = field(default_factory=threading.Event, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def running(self, name: str) -> bool:
        return alive(self.processes.get(name))

    def started(self, name: str, process: Spawned) -> None:
        """Written down at once, so that a command which dies now leaves no unknown process."""
        with self._lock:
            self.processes[name] = process
            self._write()

    def stopped(self, name: str) -> None:
        """A full disk must not keep the other servers from being stopped; a left entry is seen to be stale."""
        with self._lock, suppress(OSError):
            self.processes.pop(name, None)
            self._write()

    def save(self) -> None:
        with self._lock:
            self._write()

    def _write(self) -> None:
        facts = {name: value for name, value in vars(self).items() if name not in NOT_WRITTEN}
        facts["processes"] = {name: asdict(process) for name, process in self.processes.items()}
        write_private(self.home / "stack.json", json.dumps(facts, indent=2) + "\n")


def load(home: Path) -> State:
    path = home / "stack.json"
    if not path.exists():
        return State(home)
    try:
        facts = json.loads(path.read_text())
        facts["processes"] = {name: Spawned(**about) for name, about in facts["processes"].items()}
        return State(home, **facts)
    except (ValueError, TypeError, KeyError) as broken:
        raise StackError(
            f"{path} cannot be read; end the stack's processes, delete it and run the command again."
        ) from broken


def write_private(path: Path, text: str) -> None:
    """Replace a 0600 file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def alone(lock: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file for the block; wait for another command with a deadline, saying so."""
    with lock.open("a") as file:
        _acquire(file.fileno(), lock, report)
        yield


def _acquire(fd: int, lock: Path, report: Callable[[str], None]) -> None:
    deadline = time.monotonic() + WAIT_FOR_OTHERS
    told = False
    while not _try_lock(fd):
        if not told:
            report(f"Another habeas command is at work in {lock.parent}; waiting for it.")
            told = True
        if time.monotonic() > deadline:
            raise StackError(f"Another habeas command still holds {lock}; end it and run this one again.")
        time.sleep(0.1)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
