"""Writes what was measured as a page: every figure with its spread, the machine, and the line it was made from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

HEAD = """# Speed, as measured

Written by `make bench`; not by hand. [docs/bench.md](../bench.md) says what each figure means and how it is measured.
"""
WORDS = {
    "lifecycles_per_second": "lifecycles per second, in a burst",
    "cpu_seconds_per_request": "processor seconds per request, all processes together",
    "commits": "database commits per request",
    "p50_ms": "half of the requests are closed within, ms",
    "p99_ms": "99 of 100 are closed within, ms",
    "others_cores_in_bursts": "cores that other programs used meanwhile, bursts",
    "others_cores_in_steady": "cores that other programs used meanwhile, steady runs",
}


def write(page: Path, line: Mapping[str, Any]) -> None:
    """Put the page in the place of the last one."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join((HEAD, *_sections(line))) + "\n", "utf-8")


def keep(page: Path | None, title: str, line: Mapping[str, Any]) -> None:
    """Print the line; write it as a page of its own where one is asked for: the figures, the machine, the line.

    `runs`, where a line has them by name, are told with their spread.
    """
    print(json.dumps(line))
    if page is None:
        return
    figures = {name: value for name, value in line.items() if name not in {"bench", "machine", "runs"}}
    parts = [
        f"# {title}\n",
        f"Written by `bench/{line['bench']}.py --page`. [docs/bench.md](../bench.md) says what they mean.\n",
        "| figure | value |\n|---|---|",
        *(f"| {name.replace('_', ' ')} | {_told(value)} |" for name, value in figures.items()),
        *_every_run(line.get("runs")),
        "\n## Where\n",
        *(f"- {name.replace('_', ' ')}: {value}" for name, value in line["machine"].items()),
        f"\n## The line itself\n\n```json\n{json.dumps(line)}\n```",
    ]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(parts) + "\n", "utf-8")


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_told(each)}" for key, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sections(line: Mapping[str, Any]) -> Iterator[str]:
    given, machine = line["given"], line["machine"]
    yield "## Whole lives of requests\n"
    yield (
        f"{given['runs']} runs of {given['requests']} requests over {given['via']}, and {given['runs']} of "
        f"{given['steady']} at {given['rate']:g} a second, in turn.\n"
    )
    yield from _spreads(line["runs"], WORDS)
    idle = line["idle_commits_per_second"]
    yield (
        f"\nRecords per request: {line['records']}; rows written per request: {line['rows']}. "
        f"Commits per second when idle: {idle}.\n"
    )
    yield from _processes(line)
    if "floor_cpu_ratio" in line:
        yield from _floor(line)
    if "dbos_ratio" in line:
        yield from _peer(line)
    yield "\n## Where\n"
    yield from (f"- {name.replace('_', ' ')}: {value}" for name, value in machine.items())
    yield f"\n## The line itself\n\n```json\n{json.dumps(line)}\n```"


def _every_run(runs: object) -> Iterator[str]:
    if isinstance(runs, Mapping):
        yield "\n## Every run\n"
        yield from _spreads(runs, {name: name.replace("_", " ") for name in runs})


def _spreads(runs: Mapping[str, Sequence[float]], words: Mapping[str, str]) -> Iterator[str]:
    yield "| figure | median | lowest | highest | runs |\n|---|---|---|---|---|"
    for name, told in words.items():
        values = runs[name]
        yield f"| {told} | {median(values):g} | {min(values):g} | {max(values):g} | {len(values)} |"


def _processes(line: Mapping[str, Any]) -> Iterator[str]:
    yield "| process | processor ms per request | resident MB after the runs |\n|---|---|---|"
    for name, seconds in line["cpu_seconds_per_request"].items():
        yield f"| {name} | {1000 * seconds:.2f} | {line['resident_mb'][name]:g} |"


def _floor(line: Mapping[str, Any]) -> Iterator[str]:
    seconds = [sum(one["cpu_seconds_per_request"].values()) for one in line["floor_bursts"]]
    yield "\n## Beside the floor\n"
    yield (
        "The same records and rows, moved by hand by as many processes that neither validate, decide, sign nor "
        f"seal (`bench/floor_service.py`), in turn with ours. Ours need **{line['floor_cpu_ratio']:g}** times the "
        f"processor time; the floor's {1000 * min(seconds):.2f} to {1000 * max(seconds):.2f} ms per request.\n"
    )
    yield "| process | processor ms per request on the floor |\n|---|---|"
    for name, spent in line["floor_cpu_seconds_per_request"].items():
        yield f"| {name} | {1000 * spent:.2f} |"


def _peer(line: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Beside DBOS\n"
    yield (
        "The same seven steps as a DBOS workflow (`bench/peer_dbos.py`), in turn with ours, on the same "
        f"PostgreSQL. Ours are **{line['dbos_ratio']:g}** times as many as DBOS completes where it is fastest.\n"
    )
    yield "| at once | workflows per second, median |\n|---|---|"
    yield from (f"| {at} | {rate:g} |" for at, rate in line["dbos_workflows_per_second"].items())
