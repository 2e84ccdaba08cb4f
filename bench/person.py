"""One person of a million rows, through the service as it runs in production: their copy, and their deletion.

The places are a PostgreSQL table of a million visits, and as many such rows as JSONL and as Parquet as one person may
have there. For each of them, and for each of the two rights, a process of its own runs fulfillment (shell, task store,
runner, lanes, handlers), hears a verified request and works until it is fulfilled; one deletion of each kind is killed
half way. Where nothing ends it within `--seconds`, the state of its tasks is told instead. Afterwards somebody else's
rows are counted, which nobody asked about.

    python -m bench.person --rows 1000000 --page docs/proof/person.md
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from bench import machine
from bench.beside import Service, service
from bench.pace import pause
from bench.person_systems import EMAIL, KINDS, OTHERS_ROWS, Place
from bench.world import environment, servers
from deploy.migrate import with_database
from deploy.settings import local_settings
from services.fulfillment.datamap.systems import MOST_HELD

RIGHTS = ("know_specific", "delete")
KILLED = "delete, killed half way, from then on"
WAYS = (*RIGHTS, KILLED)
# New files are written in well under a second; a count over a table is not to be asked for all the time.
LOOK_SECONDS = {"postgresql": 0.1, "jsonl": 0.01, "parquet": 0.01}
ABOUT = "about "
_TASKS = """
SELECT state, attempts, key, coalesce(octet_length(frozen), 0) AS sealed, result FROM tasks
WHERE request_id = $1 AND starts_with(key, 'act:') AND handler IN ('act', 'export')"""
_ENDS = "SELECT value FROM outbox WHERE topic = 'dsar.fulfilled' AND request_id = $1"


class Statements:
    """What the adapters of databases send: how many statements, and how long the longest took."""

    def __init__(self) -> None:
        self.number, self.longest = 0, 0.0
        self._began = 0.0
        sa.event.listen(sa.Engine, "before_cursor_execute", self._before)
        sa.event.listen(sa.Engine, "after_cursor_execute", self._after)

    def _before(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _after(self, *_: Any) -> None:
        self.number += 1
        self.longest = max(self.longest, time.perf_counter() - self._began)


async def within(given: argparse.Namespace) -> dict[str, Any]:
    """The service hears of the one request, and works until it has ended, or for too long."""
    statements = Statements()
    async with service(local_settings(), given.within) as running:
        before, began = _peak_mb(), time.monotonic()
        asked = [given.goes_on] if given.goes_on else await running.hear([EMAIL], right=given.right)
        [request_id] = asked
        print(f"{ABOUT}{request_id}", flush=True)
        with suppress(TimeoutError):
            await running.all_ended([request_id], within=given.seconds)
        seconds = round(time.monotonic() - began, 1)
        return {
            "seconds": seconds,
            "before_mb": before,
            "peak_mb": _peak_mb(),
            "statements": statements.number,
            "longest_statement_ms": round(1000 * statements.longest),
            **await _how_it_ended(running, request_id),
        }


async def _how_it_ended(running: Service, request_id: Any) -> dict[str, Any]:
    pool = running.host.resources.pool
    [task] = await pool.fetch(_TASKS, request_id)
    ends = [json.loads(row["value"]) for row in await pool.fetch(_ENDS, request_id)]
    said = json.loads(task["result"] or "{}").get("result", {})
    return {
        "ended": ends[0]["resolution"]
        if ends
        else f"not ended: {task['state']} {said.get('reason', '')}".strip(),
        "attempts": task["attempts"],
        "frozen_bytes": task["sealed"],
    }


def _peak_mb() -> int:
    [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in each]
    return round(int(line.split()[1]) / 1024)


async def bench(given: argparse.Namespace) -> dict[str, Any]:
    """Every place and right in turn, each from a place that is filled anew."""
    limits = json.loads(given.limits)
    found: dict[str, dict[str, Any]] = {}
    # With the light broker the service that came after a killed one never got into its group, and so was never up.
    async with servers(given.home.absolute(), "kafka", _say) as (settings, running):
        admin = await asyncpg.connect(running.database_url)
        await admin.execute("DROP DATABASE IF EXISTS person")
        await admin.execute("CREATE DATABASE person")
        url = with_database(running.database_url, "person")
        for kind in given.kinds:
            place = Place(kind, settings.home, url, _most(kind, given.rows) - 1)
            for way in given.ways:
                await place.fill({**limits, "max_rows": place.rows + 1})
                one = await _worked_on(place, way, given.seconds, environment(settings))
                name = f"{kind}, {place.rows + 1:,} rows: {way}"
                found[name] = one | dict(zip(("left", "others"), await place.left(), strict=True))
                _say(f"{name}: {found[name]}")
        facts = await machine.facts(running.broker, admin)
        await admin.close()
    return {"bench": "person", "rows": given.rows, "limits": limits, "machine": facts, "found": found}


def _most(kind: str, rows: int) -> int:
    return rows if kind == "postgresql" else min(rows, MOST_HELD)


async def _worked_on(place: Place, way: str, seconds: float, told: Mapping[str, str]) -> dict[str, Any]:
    """Until it ended; or until half of it is done, when the process is killed and another one comes."""
    words = [
        "--within",
        str(place.systems),
        "--right",
        way.split(",", maxsplit=1)[0],
        "--seconds",
        str(seconds),
    ]
    if way != KILLED:
        return await _said_by(await _begun(words, told))
    first = await _begun(words, told)
    assert first.stdout is not None  # noqa: S101 - it was asked for
    lines = [line.decode().strip() async for line in _until_named(first.stdout)]
    request_id = lines[-1].removeprefix(ABOUT)
    while not await place.half_done():
        await pause(LOOK_SECONDS[place.kind])
    first.kill()
    await first.wait()
    return await _said_by(await _begun([*words, "--goes-on", request_id], told))


async def _until_named(said: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """What it says, up to the line that names the request."""
    async for line in said:
        yield line
        if line.startswith(ABOUT.encode()):
            return


async def _begun(words: Sequence[str], told: Mapping[str, str]) -> asyncio.subprocess.Process:
    command, env = (sys.executable, "-m", "bench.person", *words), {**os.environ, **told}
    return await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)


async def _said_by(child: asyncio.subprocess.Process) -> dict[str, Any]:
    said, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"the service ended with {child.returncode}")
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure what one person of very many rows takes.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--limits", default="{}", help="more limits of the systems, as JSON")
    parser.add_argument("--seconds", type=float, default=900.0, help="the most that one request may take")
    parser.add_argument("--home", type=Path, default=Path(".habeas/person"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    parser.add_argument("--within", type=Path, help="be the service over this folder's systems")
    parser.add_argument("--right", choices=RIGHTS, default="delete")
    parser.add_argument("--goes-on", type=UUID, help="the request that a killed process worked on")
    return parser.parse_args()


def main() -> None:
    """Measure everything, or be the process in which one request is worked on."""
    given = arguments()
    if given.within is not None:
        print(json.dumps(asyncio.run(within(given))))
        return
    line = asyncio.run(bench(given))
    print(json.dumps(line))
    if given.page is not None:
        given.page.write_text(page_of(line))


COLUMNS = {
    "ended": "ended",
    "seconds": "seconds",
    "attempts": "attempts",
    "before_mb": "MB before",
    "peak_mb": "MB at the peak",
    "frozen_bytes": "bytes in the task's row",
    "statements": "statements",
    "longest_statement_ms": "the longest, ms",
    "left": "rows left of the person",
    "others": "rows of somebody else",
}


def page_of(line: Mapping[str, Any]) -> str:
    """The figures as a page."""
    rows = [
        f"| {name} | "
        + " | ".join(f"{one[key]:,}" if isinstance(one[key], int) else str(one[key]) for key in COLUMNS)
        + " |"
        for name, one in line["found"].items()
    ]
    where = [f"- {name.replace('_', ' ')}: {value}" for name, value in line["machine"].items()]
    table = "\n".join(
        ["| | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|", *rows]
    )
    return PAGE.format(
        rows=line["rows"], others=OTHERS_ROWS, table=table, where="\n".join(where), line=json.dumps(line)
    )


PAGE = """# One person of very many rows

`make person` has the fulfillment service work on one person of {rows:,} rows, each time in a process of its own: shell,
task store, runner, lanes, handlers and adapter as in production, on a real PostgreSQL, with `max_rows` raised to so
many (100,000 by default: beyond it a person decides; files are not given more). Somebody else has {others:,} rows
beside theirs, which must all be there afterwards. Killed half way means kill -9 when half of the rows were gone, for
files while a new one was being written beside the old; the figures are the next process's, which waits for the lease of
the first one to run out. The machine did other work, too.

{table}

## Where

{where}

## The line itself

```json
{line}
```
"""

if __name__ == "__main__":
    main()
