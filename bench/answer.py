"""A person with very many rows: what their answer takes, from the rows as a system gives them to the sealed archive.

Run as a program it does it in a process of its own, and writes docs/proof/answer.md with --page.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from services.fulfillment.answer_files import AnswerFiles, package_id_of
from services.fulfillment.connected import Systems
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.exporting import ExportHandler
from services.fulfillment.packaging import PackageHandler
from services.fulfillment.ports import Export, ExportedDataset, Frozen, NeedsPerson, Retry, TakesRows
from services.fulfillment.subjects import Subjects
from shared.clock import SystemClock
from shared.machine.decision import Kept
from shared.privacy import Claims
from shared.signing import KeyRing
from shared.tasks.work import Answer, Claimed, Finished
from tests.support.memory_system import MemorySystem, Row, connected, memory_system
from tests.support.memory_vault import memory_vault

REQUEST = UUID("7de025f4-a629-458b-8b68-bf6344ef7257")
EMAIL = "ada@example.com"
NOW = datetime(2026, 2, 3, 19, tzinfo=UTC)
ROWS_AT_ONCE = 1000
FIELDS = {
    "id": None,
    "email": "identifiers",
    "page": "internet_activity",
    "note": "internet_activity",
}


class Busy(MemorySystem):
    """A system that reads a person's very many rows a thousand at a time, as the adapter of databases does."""

    rows_held = 0

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        if taking is None:
            raise TypeError("somebody has to take so many rows")
        for start in range(0, self.rows_held, ROWS_AT_ONCE):
            numbers = range(start, min(start + ROWS_AT_ONCE, self.rows_held))
            await taking.take("visits", [_row(n) for n in numbers])
        categories = {name: category for name, category in FIELDS.items() if category}
        data = ExportedDataset("visits", (), categories, taken=self.rows_held)
        return Export("events", (data,), categories_held(self.datamap, frozen))


def _row(number: int) -> dict[str, Any]:
    note = f"visit {number}, a line of words as apps keep them"
    return {"id": number, "email": EMAIL, "page": f"/page/{number % 977}", "note": note}


class _Kept:
    """The sealed claims of the request."""

    def __init__(self, sealed: str) -> None:
        self._claims = Kept("claims", REQUEST, "claims", sealed)

    async def of(self, request_id: UUID) -> Sequence[Kept]:
        return [self._claims]


async def answer(folder: Path, rows: int) -> dict[str, Any]:
    """Export and package; what it took."""
    system = Busy("events", memory_system("events").datamap, [Row("people", 1, {"email": EMAIL}, {})])
    system.rows_held = rows
    vault = memory_vault(monotonic=time.monotonic)
    await vault.create([REQUEST])
    subjects = Subjects(_Kept(vault.seal(REQUEST, REQUEST, "claims", Claims(email=EMAIL).to_bytes())), vault)
    clock, files = SystemClock(), AnswerFiles(folder / "answers")
    systems = Systems([connected(system)])
    began = time.monotonic()
    export = ExportHandler(systems, subjects, (vault, files), clock)
    exported = _done(await export.run(_task("act:events:know_specific", {"system": "events"}), _go))
    between = time.monotonic()
    package = PackageHandler(subjects, (vault, files), KeyRing.generate(), clock)
    parts = [{"system": "events", "part_id": exported.result["part_id"]}]
    task = _task("package", {"business": "cascadia", "parts": parts})
    _done(await package.run(task, _go))
    await systems.close()
    sealed = folder / "answers" / f"{package_id_of(task.task_id, task.epoch)}.sealed"
    return {
        "rows": exported.result["outcome"]["exported"],
        "export_seconds": round(between - began, 1),
        "package_seconds": round(time.monotonic() - between, 1),
        "sealed_mb": round(sealed.stat().st_size / 1e6, 1),
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> int:
    """The most that this program ever held; getrusage would count what its parent held when it forked."""
    [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in each]
    return round(int(line.split()[1]) / 1024)


def _done(answer: Answer) -> Finished:
    if not isinstance(answer, Finished):
        raise TypeError(answer)
    return answer


def _task(key: str, body: dict[str, Any]) -> Claimed:
    common = {"right": "know_specific", "cut_off": NOW.isoformat(), "proved": True}
    return Claimed(
        task_id=uuid5(REQUEST, key), request_id=REQUEST, key=key, handler="", purpose="", body={**common, **body},
        epoch=1, attempts=1, settle=False, urgency=NOW,
    )  # fmt: skip


async def _go(**_: Any) -> bool:
    return True


def measured(rows: int) -> dict[str, Any]:
    """The same in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return _said_by("bench.answer", "--within", folder, "--rows", str(rows))


def _said_by(module: str, *arguments: str) -> dict[str, Any]:
    """What a program of ours prints in the end; nothing that this one imported is in its memory."""
    child = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(child, check=True, capture_output=True, text=True)  # noqa: S603 - this very program
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, and say it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--within", type=Path)
    options.add_argument("--page", type=Path)
    chosen = options.parse_args()
    if chosen.within is not None:
        print(json.dumps(asyncio.run(answer(chosen.within, chosen.rows))))
        return
    found = measured(chosen.rows)
    print(json.dumps(found))
    if chosen.page is not None:
        looked = _said_by("bench.finding", "--rows", str(chosen.rows - 1))
        print(json.dumps(looked))
        chosen.page.write_text(PAGE.format(**found, looked=looked))


PAGE = """# An answer of very many rows

`make answer` has a fresh process take {rows:,} rows of one person from a system, a thousand at a time, seal them as its
part and make the sealed archive of them, with the service's own handlers. Measured on a machine of two cores that did
other work, too.

| what | measured |
|---|---|
| peak memory of the whole process (limit: 200 MB) | {peak_mb} MB |
| export | {export_seconds} s |
| package | {package_seconds} s |
| the sealed archive | {sealed_mb} MB |

A task that gets on keeps its lease and its time: a slower machine takes longer, and does not begin again.

Another process finds the keys of {looked[rows]:,} rows in a real database (SQLite) and reads the rows. The rows pass
through, a page at a time; their keys are all held, for destructive work is bound to them, but packed: eight bytes for
a number, and a table of their places. Beyond `max_rows`, 100,000 by default, somebody looks whether
so many are one person's.

| what | measured |
|---|---|
| the program with its libraries, before | {looked[before_mb]} MB |
| peak with all keys (limit: 200 MB) | {looked[peak_mb]} MB |
| find | {looked[find_seconds]} s |
| read | {looked[read_seconds]} s |
"""

if __name__ == "__main__":
    main()
