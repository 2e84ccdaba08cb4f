"""What each fault cost: counted while it is injected, written down as a line for the proof."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.pace import pause

LOOK_SECONDS = 0.05
OUT = "HABEAS_FAULTS_OUT"
"""The file that the lines are added to; a run that proves nothing needs none."""


@dataclass(slots=True)
class Tally:
    """One fault of one run; times in seconds."""

    fault: str
    asked: int = 0
    injected: int = 0
    in_flight: list[int] = field(default_factory=list)
    lost: int = 0
    twice: int = 0
    longest_stall: float = 0.0
    drained_in: float = 0.0

    def write(self) -> None:
        """Add the line to the file that was asked for."""
        if path := os.environ.get(OUT):
            with Path(path).open("a") as file:
                file.write(json.dumps(asdict(self)) + "\n")


@asynccontextmanager
async def watched_stalls(
    tally: Tally, progress: Callable[[], int], at_work: Callable[[], bool]
) -> AsyncIterator[None]:
    """Keep the longest time without progress, while there was work."""
    watching = asyncio.get_running_loop().create_task(_watch(tally, progress, at_work))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(tally: Tally, progress: Callable[[], int], at_work: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    known, since = progress(), loop.time()
    while True:
        await pause(LOOK_SECONDS)
        now = loop.time()
        if progress() != known or not at_work():
            known, since = progress(), now
        tally.longest_stall = max(tally.longest_stall, now - since)
