"""Bring the sample business into being: databases, roles, people, the ledger, and the auditor's record of before."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from deploy.demo.cascadia.audit import Audit
from deploy.demo.cascadia.before import write_before
from deploy.demo.cascadia.helpdesk import HelpDesk
from deploy.demo.cascadia.lead_store import LeadStore
from deploy.demo.cascadia.lists import BELOW, BUCKET, OLDER, describe_lists, lists_of
from deploy.demo.cascadia.mailer import Mailer
from deploy.demo.cascadia.people import Person, make_people
from deploy.demo.cascadia.places import DATABASES, FILES, LISTS, ROLES, Places
from deploy.demo.cascadia.rows import Rows, make_rows
from deploy.demo.cascadia.saas import Served, Store
from shared.private_files import write_private

_HERE = Path(__file__).parent
_MARK = "Cascadia Motors, the sample business of Habeas"
_TABLES = {
    "crm": ("households", "contacts", "addresses", "interactions", "web_sessions", "page_views"),
    "dms": ("customers", "vehicles", "sales", "service_visits", "quotes"),
    "marketing": ("subscribers", "campaign_sends", "ad_audience_members"),
    "mailer": ("contacts", "activities"),
    "helpdesk": ("users", "tickets"),
}
_LEDGERS = {"marketing": "ledger_marketing.sql", "mailer": "ledger_saas.sql", "helpdesk": "ledger_saas.sql"}


class NotOursError(RuntimeError):
    """A database of the sample's name is there, and the sample did not make it."""


@dataclass(frozen=True, slots=True)
class Cascadia:
    """The running sample business."""

    people: tuple[Person, ...]
    places: Places
    rented: tuple[Served, ...] = ()
    store: LeadStore | None = None

    def describe(self, systems: Path) -> None:
        """Say in a folder of system files what only this run knows."""
        describe_lists(self.places, systems)

    def sentences(self) -> tuple[str, ...]:
        """What the proof says of the lists' older versions, if a store keeps any."""
        if self.store is None:
            return ()
        left = len({version for version, _ in lists_of(self.places).past()})
        return (
            f"{left} of {OLDER} older versions of the lists are left: none holds anybody who was deleted",
        )

    def close(self) -> None:
        """End the simulated services, and the lists' store."""
        if self.store is not None:
            self.store.stop()
        for each in self.rented:
            each.stop()

    def audit(self) -> Audit:
        """The business's own look at its databases, by its own SQL."""
        return Audit(self.places)

    async def take_dms_away(self) -> None:
        """Maintenance: the dealer-management database takes no connections and ends those that it has."""
        name = DATABASES["dms"]
        async with _connected(self.places.admin()) as connection:
            await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )

    async def bring_dms_back(self) -> None:
        async with _connected(self.places.admin()) as connection:
            await connection.execute(f"ALTER DATABASE {DATABASES['dms']} ALLOW_CONNECTIONS true")


async def load(admin_url: str, home: Path, *, seed: int, people: int, in_store: bool = False) -> Cascadia:
    """Make everything anew; whatever an earlier run left of the sample is replaced.

    With `in_store` the lead lists go into an object store, which is started. Its `lacking` must be nothing.
    """
    return await load_people(admin_url, home, make_people(seed, people), seed=seed, in_store=in_store)


async def load_people(
    admin_url: str, home: Path, everybody: tuple[Person, ...], *, seed: int, in_store: bool = False
) -> Cascadia:
    """The same for these people."""
    places = Places(admin_url, home)
    places.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = make_rows(everybody, seed)
    async with _connected(places.admin()) as connection:
        await _make_roles(connection)
        for system in DATABASES:
            await _make_database(connection, system)
            await _make_adapter_role(connection, system, places)
    for system in DATABASES:
        async with _connected(places.admin(DATABASES[system])) as connection:
            await _fill(connection, system, rows)
    for name in FILES:
        _fill_file(places, name, rows)
    store = await asyncio.to_thread(_fill_lists, places, rows, in_store=in_store)
    write_private(places.secret("marketing"), f"sqlite:///{places.marketing.absolute()}".encode())
    await write_before(places, rows)
    return Cascadia(everybody, places, await asyncio.to_thread(lambda: tuple(_rent(places))), store)


def _fill_lists(places: Places, rows: Rows, *, in_store: bool) -> LeadStore | None:
    """Put the lists where they are meant to lie, and leave address and keys where the adapter looks."""
    places.store_keys.unlink(missing_ok=True)
    store = LeadStore(places.folder) if in_store else None
    address = str(places.lists.absolute())
    if store is not None:
        owner, habeas = store.start()
        write_private(places.store_keys, owner.written())
        write_private(places.secret(LISTS, "access_key"), habeas.access_key.encode())
        write_private(places.secret(LISTS, "secret_key"), habeas.secret_key.encode())
        address = f"s3://{BUCKET}/{BELOW.rstrip('/')}"
    lists_of(places).write(rows.tables[LISTS, LISTS])
    write_private(places.secret(LISTS), address.encode())
    return store


def _rent(places: Places) -> Iterator[Served]:
    """Start the services over HTTP, and leave their addresses and keys where the adapters look."""
    key, client = secrets.token_urlsafe(24), "habeas"
    apps = {
        "mailer": Mailer(Store(places.file("mailer")), key).app,
        "helpdesk": HelpDesk(Store(places.file("helpdesk")), client, key).app,
    }
    write_private(places.secret("helpdesk", "client"), client.encode())
    for name, app in apps.items():
        served = Served(app)
        write_private(places.secret(name), served.start().encode())
        write_private(places.secret(name, "key"), key.encode())
        yield served


async def _make_roles(connection: Any) -> None:
    for role in ("cascadia_owner", "cascadia_auditor"):
        if not await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")


async def _make_database(connection: Any, system: str) -> None:
    name = DATABASES[system]
    described = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1"
    there = await connection.fetchrow(described, name)
    if there is not None and there[0] != _MARK:
        raise NotOursError(f"The database {name} is there and is not the sample's; use another server.")
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.execute(f"COMMENT ON DATABASE {name} IS '{_MARK}'")
    await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")


async def _make_adapter_role(connection: Any, system: str, places: Places) -> None:
    """A role that may only connect here; what more it may do stands in grants_*.sql."""
    role, password = ROLES[system], secrets.token_urlsafe(24)
    there = await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role)
    await connection.execute(f"{'ALTER' if there else 'CREATE'} ROLE {role} LOGIN PASSWORD '{password}'")
    await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASES[system]} TO {role}")
    write_private(places.secret(system), places.adapter(system, password).encode())


async def _fill(connection: Any, system: str, rows: Rows) -> None:
    """The rows come before the ledger, which records what is destroyed and not what is loaded."""
    await connection.execute((_HERE / f"schema_{system}.sql").read_text())
    for table in _TABLES[system]:
        await connection.copy_records_to_table(table, records=rows.tables[system, table])
    await connection.execute((_HERE / "ledger.sql").read_text())
    await connection.execute((_HERE / f"grants_{system}.sql").read_text())
    await connection.execute("ANALYZE")


def _fill_file(places: Places, system: str, rows: Rows) -> None:
    places.file(system).unlink(missing_ok=True)
    with closing(sqlite3.connect(places.file(system))) as database:
        database.executescript((_HERE / f"schema_{system}.sql").read_text())
        for table in _TABLES[system]:
            records = rows.tables[system, table]
            if records:
                slots = ", ".join("?" * len(records[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({slots})", records)  # noqa: S608 - our own names
        database.executescript((_HERE / _LEDGERS[system]).read_text())
        database.commit()
    places.file(system).chmod(0o600)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
