"""Child processes that outlive the command: each in a session of its own, known by pid and start time.

A pid alone proves nothing, since the system gives it to somebody else later. Nothing here signals a process
whose start time is not the recorded one.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import StackError

# Kept until they are reaped: a dropped Popen of a living child would be reported as a leak.
_children: dict[int, subprocess.Popen[bytes]] = {}

StopPlan = Sequence[tuple[signal.Signals, float]]


@dataclass(frozen=True)
class Spawned:
    """A process of ours: `born` says when it started, in the system's own count."""

    pid: int
    born: str


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
) -> Spawned:
    """Start a server that survives us, its output appended to `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603  fixed programs of ours, never a shell
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=plain_environment(env),
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    _children[child.pid] = child
    return Spawned(child.pid, birth(child.pid) or "gone")


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end; the caller judges its exit code."""
    command = [str(part) for part in argv]
    try:
        return subprocess.run(  # noqa: S603  fixed programs of ours, never a shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            cwd=folder,
            env=plain_environment(env),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except subprocess.TimeoutExpired as late:
        raise StackError(f"{command[0]} did not end within {timeout:.0f} s; run the command again.") from late


def plain_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a server needs and nothing else: no credentials, no library paths of the caller."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {"LANG": "C.UTF-8", "TZ": "UTC", **kept, **(more or {})}


def alive(process: Spawned | None) -> bool:
    """Whether this very process still runs (a zombie does not)."""
    if process is None:
        return False
    if birth(process.pid) == process.born:
        return True
    child = _children.get(process.pid)
    if child is not None and child.poll() is not None:
        _children.pop(process.pid, None)
    return False


def stop(process: Spawned, plan: StopPlan) -> bool:
    """Send each signal of the plan in turn until the process is gone; false when it outlived them all."""
    for sign, seconds in plan:
        if not alive(process):
            return True
        _signal(process, sign)
        if _gone_within(process, seconds):
            return True
    return not alive(process)


def birth(pid: int) -> str | None:
    """The start time of a running process as the system counts it, or None."""
    if sys.platform == "linux":
        return _birth_in_proc(pid)
    shown = run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], timeout=10).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.split(maxsplit=1)[1]


def _birth_in_proc(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    # After the name come the state (field 3), the number of threads (20) and the start time (22), counted
    # from each boot anew. The first thread of a server is a zombie already while the others still end.
    ended = fields[0] in "ZX" and int(fields[17]) <= 1
    return None if ended else f"{boot}/{fields[19]}"


def _signal(process: Spawned, sign: signal.Signals) -> None:
    try:
        os.kill(process.pid, sign)
    except ProcessLookupError:
        return


def _gone_within(process: Spawned, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
