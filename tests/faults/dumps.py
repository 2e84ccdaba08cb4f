"""A service's database dumped and restored as an operator does it: with PostgreSQL's own programs."""

import asyncio
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from deploy.local.account import unprivileged
from deploy.local.postgres_files import programs


async def dump(url: str, schema: str, file: Path) -> None:
    """`pg_dump` of one schema of a database."""
    await _run(url, "pg_dump", "--format=custom", f"--schema={schema}", f"--file={file}")


async def restore(url: str, schema: str, file: Path) -> None:
    """The schema as it was when it was dumped, and nothing of what came later."""
    admin = await asyncpg.connect(url)
    try:
        await admin.execute(f"DROP SCHEMA {schema} CASCADE")
    finally:
        await admin.close()
    await _run(url, "pg_restore", "--exit-on-error", "--single-transaction", f"{file}")


async def _run(url: str, program: str, *arguments: str) -> None:
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
    # A password does not belong among the arguments, which every user of the machine can read.
    environment = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
    path = programs(unprivileged()) / program
    running = await asyncio.create_subprocess_exec(
        path, f"--dbname={address}", *arguments, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await running.communicate()
    assert running.returncode == 0, said.decode()
