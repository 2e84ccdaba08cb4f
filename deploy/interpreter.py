"""Which of several Pythons is the fastest at what the services do most: building small objects and texts.

Builds of one version differ by a third or more: some were optimised by a profile and some were not, and nothing that
a Python says of itself tells which. So `make` lets those that it finds do the same work in turn. It runs before
anything of Habeas is installed, on whatever Python is there:

    python3 deploy/interpreter.py python3 /usr/bin/python3     # prints the one to take, and on stderr why
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace

ROUNDS = 5
OBJECTS = 1500
# Whoever comes first in PATH is what people expect: another one must be worth it.
WORTH_IT = 0.85
USABLE = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"


@dataclass(frozen=True)
class _Thing:
    number: int
    name: str
    facts: dict[str, int]


def work() -> int:
    """Nanoseconds of processor time that the work takes here."""
    began = time.process_time_ns()
    for number in range(OBJECTS):
        thing = replace(_Thing(number, str(number), {"of": number}), number=number + 1)
        json.loads(json.dumps({**thing.facts, "name": thing.name}))
    return time.process_time_ns() - began


def main(names: list[str]) -> int:
    """Print the Python to take; fails when none can run Habeas."""
    usable = _usable(names)
    if not usable:
        return 1
    took = _measured(usable)
    first, best = usable[0], min(took, key=took.__getitem__)
    chosen = best if took[best] <= WORTH_IT * took[first] else first
    if chosen != first:
        times = took[first] / took[chosen]
        sys.stderr.write(f"{chosen}: {first} takes {times:.1f} times as long for the same work\n")
    sys.stdout.write(f"{chosen}\n")
    return 0


def _usable(names: list[str]) -> list[str]:
    """Those that are there, are new enough and can make virtual environments; each program once."""
    found = {shutil.which(name): name for name in reversed(names)}
    paths = sorted((path for path in found if path), key=lambda path: names.index(found[path]))
    return [path for path in paths if _run(path, "-c", USABLE) is not None]


def _measured(paths: list[str]) -> dict[str, int]:
    """The least time of each: they take turns, since a neighbour on the processor slows whoever runs beside it."""
    took = dict.fromkeys(paths, sys.maxsize)
    for path in paths * ROUNDS if len(paths) > 1 else ():
        said = _run(path, __file__, "--work")
        took[path] = min(took[path], int(said)) if said else took[path]
    return took


def _run(*command: str) -> bytes | None:
    """What a program printed; None when it failed."""
    done = subprocess.run(  # noqa: S603 - the Pythons that whoever calls us named
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    if sys.argv[1:] == ["--work"]:
        sys.stdout.write(str(min(work() for _ in range(3))))
    else:
        sys.exit(main(sys.argv[1:]))
