"""The example vendor as a process of its own, with people in a file, and keys as `habeas vendors onboard` gave them."""

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from shared.settings import Settings

STOP_SECONDS = 20.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "vendor" / "vendor.py"


class People:
    """The vendor's own table."""

    def __init__(self, file: Path, emails: Sequence[str]) -> None:
        self.file = file
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("CREATE TABLE people (email TEXT, opted_out INTEGER DEFAULT 0)")
            database.executemany("INSERT INTO people (email) VALUES (?)", [(email,) for email in emails])

    def left(self) -> dict[str, bool]:
        """Who is still there, and whether they opted out."""
        with closing(sqlite3.connect(self.file)) as database:
            return {
                email: bool(out) for email, out in database.execute("SELECT email, opted_out FROM people")
            }


def _deaf_to_ctrl_c() -> None:
    """As a shell starts what it leaves in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@asynccontextmanager
async def vendor_at(
    settings: Settings, name: str, people: People
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The example at work, ended in the end."""
    handed = settings.home / "vendors" / name
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            str(EXAMPLE),
            "--kafka",
            settings.kafka_bootstrap,
            "--namespace",
            settings.namespace,
        ),
        *("--name", name, "--keys", str(handed / "private.jwks.json")),
        *("--habeas", str(handed / "habeas.jwks.json"), "--people", str(people.file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_deaf_to_ctrl_c,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            # It leaves its group, so that the next one need not wait.
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.communicate(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
