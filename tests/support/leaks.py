"""Everywhere that Habeas puts bytes: each place by its name, and what lies there, to be searched for somebody."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import asyncpg

from deploy.migrate import with_database
from shared.events.topics import SERVICES
from tests.support.canaries import Canaries
from tests.support.contents import everything_in, packed_in
from tests.support.running import Running

Place = tuple[str, bytes]
# The business's own, and what is not Habeas's to keep secret: mail has gone to the person.
NOT_OURS = {"cascadia", "mail"}


async def leaks(
    running: Running,
    canaries: Canaries,
    planted: set[tuple[str, int, int]],
    spans: Sequence[bytes] = (),
) -> list[str]:
    """Every place that holds a canary; `planted` are records that an outsider wrote in clear."""
    found = [line for place in topics(running, planted) for line in _held(canaries, place)]
    async for place in tables(running):
        found += _held(canaries, place)
    pages = [*await metrics(running), *(("exported spans", blob) for blob in spans)]
    for place in [*logs(running), *pages, *files(running.settings.home), *processes()]:
        found += _held(canaries, place)
    return found


def _held(canaries: Canaries, place: Place) -> list[str]:
    """Whom the place names, also where it is packed."""
    name, blob = place
    return [f"{name}: {what}" for part in everything_in(blob) for what in canaries.found_in(part)]


def topics(running: Running, planted: set[tuple[str, int, int]]) -> Iterator[Place]:
    """Keys, headers and values of every record, but for those planted."""
    for one in running.tape.records:
        if (one.topic, one.partition, one.offset) not in planted:
            yield (
                f"topic {one.topic}/{one.partition}/{one.offset} {one.kind}",
                b"\n".join([one.everything(), *packed_in(one.value)]),
            )


async def tables(running: Running) -> AsyncIterator[Place]:
    """Every table of every schema in the services' database and in the vault, and what the sessions run."""
    databases = running.installation.databases
    for name in (databases.name, databases.vault):
        connection = await asyncpg.connect(with_database(running.installation.stack.database_url, name))
        try:
            for table in await _tables(connection):
                yield f"table {name}.{table}", _content(await connection.fetch(f"SELECT * FROM {table}"))  # noqa: S608 - names from the catalogue
            sessions = "SELECT query, application_name FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            yield "sessions", _content(await connection.fetch(sessions))
        finally:
            await connection.close()


def logs(running: Running) -> Iterator[Place]:
    """What the services and the servers have logged."""
    for folder in {running.settings.home / "logs", running.installation.stack.home / "logs"}:
        for path in sorted(folder.glob("*")):
            yield f"log {path.name}", path.read_bytes()


async def metrics(running: Running) -> list[Place]:
    """The pages that every service shows to anybody."""
    pages = []
    for service in SERVICES:
        for page in ("metrics", "ready", "live"):
            answer = await running.http.get(f"{running.services.url(service)}/{page}")
            pages.append((f"page {service}/{page}", answer.content + str(answer.headers.raw).encode()))
    return pages


def files(home: Path) -> Iterator[Place]:
    """Every file of an installation: keys, secrets, packages, logs, what runs."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.relative_to(home).parts[0] not in NOT_OURS:
            yield f"file {path.relative_to(home)}", path.read_bytes()


async def server_files(running: Running, skipped: set[str]) -> list[Place]:
    """What the embedded servers wrote to disk for an installation.

    Kafka's logs but for the partitions named, and PostgreSQL's pages.
    """
    databases, stack = running.installation.databases, running.installation.stack
    admin = await asyncpg.connect(stack.database_url)
    try:
        await admin.execute("CHECKPOINT")
        names = [databases.name, databases.vault]
        rows = await admin.fetch("SELECT oid FROM pg_database WHERE datname = ANY($1)", names)
    finally:
        await admin.close()
    ours = {str(row["oid"]) for row in rows}
    namespace = running.settings.namespace
    return await asyncio.to_thread(
        lambda: [*_kafka(stack.home, namespace, skipped), *_postgres(stack.home, ours)]
    )


def processes() -> Iterator[Place]:
    """Arguments and environment of every process but the tests' own, where everybody on the machine can look."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            for what in ("cmdline", "environ"):
                try:
                    yield f"process {entry.name} {what}", (entry / what).read_bytes()
                except OSError:
                    continue


def _kafka(home: Path, namespace: str, skipped: set[str]) -> Iterator[Place]:
    for path in sorted(home.glob("kafka*/**/*.log")):
        folder = path.parent.name
        if folder not in skipped and folder.startswith((namespace, "__")):
            yield f"broker {folder}/{path.name}", path.read_bytes()


def _postgres(home: Path, ours: set[str]) -> Iterator[Place]:
    data = (home / "postgres").resolve() / "data"
    for path in sorted(data.rglob("*")):
        parts = path.relative_to(data).parts
        # The business of these tests has its databases on the same server, and shares its write-ahead log.
        is_foreign = parts[0] in {"base", "pg_wal"} and not ours & set(parts)
        if path.is_file() and not is_foreign:
            yield f"database {path.relative_to(data)}", path.read_bytes()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1"
    )
    return [row["name"] for row in rows]


def _content(rows: list[asyncpg.Record]) -> bytes:
    values = (value for row in rows for value in row.values())
    cells = (value if isinstance(value, bytes) else str(value).encode() for value in values)
    return b"\n".join(part for cell in cells for part in everything_in(cell))
