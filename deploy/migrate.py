"""`habeas migrate`: databases, schemas, roles and tables, from nothing or from any earlier version.

One schema and one role for each service. The roles own nothing and may create nothing; the audit table they may
only add to. Passwords are made here once and lie as whole URLs in private files, one a service.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.vault_database import LOGINS, VAULT_DATABASE, migrate_vault, vault_role
from shared.events.topics import SERVICES
from shared.privacy import Secret
from shared.private_files import read_private, write_private

OWNER = "habeas_owner"
_LOCK = 0x48414245_41530002
MONTHS_AHEAD = 13
_OUTBOX = """
SET ROLE {owner};
SET search_path = {schema};
SELECT prepare_outbox(date_trunc('month', now() - interval '1 month')::date, {months});
ALTER FUNCTION forget_outbox(timestamptz) SET search_path = {schema}, pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION forget_outbox(timestamptz), prepare_outbox(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_outbox(timestamptz) TO {role};
RESET search_path;
RESET ROLE;
"""
_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT DELETE ON {schema}.parked, {schema}.outbox_relays TO {role};
REVOKE UPDATE ON {schema}.audit, {schema}.applied_commands FROM {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
"""
# What one service may do beyond that: old figures of how long systems took are deleted.
# Who is suppressed no longer, or was answered long ago, must leave no trace, nor what a prediction needs no more.
_OWN_GRANTS = {
    "deadline": "GRANT DELETE ON deadline.system_work TO {role}",
    "fulfillment": "GRANT DELETE ON fulfillment.suppressed, fulfillment.limited_requests,"
    " fulfillment.frozen_keys TO {role}",
}


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the private URL files lie, and what the database is called."""

    folder: Path
    name: str = "habeas"
    vault: str = VAULT_DATABASE

    def url_file(self, service: str) -> Path:
        """The file with a service's own database URL."""
        return self.folder / f"{service}.database-url"

    def vault_url_file(self, login: str) -> Path:
        """The file with a service's URL of the vault."""
        return self.folder / f"{login}.vault-url"


def service_role(database: str, service: str) -> str:
    """The login of a service; it carries the database's name, since roles belong to the whole server."""
    return f"{database}_{service}"


async def migrate(admin_url: str, databases: Databases) -> list[str]:
    """Bring everything to the newest version; what was done, a line each.

    Raises:
        asyncpg.PostgresError, OSError: the server is away or refuses; nothing is half done.
    """
    databases.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = await _create_database(admin_url, databases)
    for service in SERVICES:
        done.append(await _migrate_service(admin_url, databases, service))
    await migrate_vault(admin_url, _vault_passwords(admin_url, databases), database=databases.vault)
    done.append(f"{databases.vault}: up to date")
    return done


async def _create_database(admin_url: str, databases: Databases) -> list[str]:
    admin = await asyncpg.connect(admin_url)
    try:
        await _create_role(admin, OWNER, "NOLOGIN")
        await admin.execute(f"GRANT {OWNER} TO CURRENT_USER")
        if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", databases.name):
            return []
        await admin.execute(f'CREATE DATABASE "{databases.name}" OWNER {OWNER}')
        return [f"{databases.name}: created"]
    finally:
        await admin.close()


async def _migrate_service(admin_url: str, databases: Databases, service: str) -> str:
    url = with_database(admin_url, databases.name)
    role = service_role(databases.name, service)
    admin = await asyncpg.connect(url)
    try:
        await admin.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _create_role(admin, role, "LOGIN")
        await _set_password(admin, role, databases.url_file(service), url)
        await admin.execute(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {OWNER}")
        await _upgrade(url, service)
        await admin.execute(_OUTBOX.format(schema=service, role=role, owner=OWNER, months=MONTHS_AHEAD))
        await admin.execute(_GRANTS.format(schema=service, role=role))
        if service in _OWN_GRANTS:
            await admin.execute(_OWN_GRANTS[service].format(role=role))
        await admin.execute(f'ALTER ROLE {role} IN DATABASE "{databases.name}" SET search_path = {service}')
    finally:
        await admin.close()
    return f"{databases.name}.{service}: up to date"


async def _upgrade(url: str, schema: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_alembic, schema)
    finally:
        await engine.dispose()


def _alembic(connection: Connection, schema: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(connection=connection, schema=schema, owner=OWNER)
    command.upgrade(config, "head")


async def _create_role(admin: asyncpg.Connection, role: str, login: str) -> None:
    if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await admin.execute(f"CREATE ROLE {role} {login} NOSUPERUSER NOCREATEDB NOCREATEROLE")


async def _set_password(admin: asyncpg.Connection, role: str, file: Path, url: str) -> None:
    password = _password(role, file, url)
    # token_urlsafe has no quote to escape; the literal is needed because ALTER ROLE takes no parameters.
    await admin.execute(f"ALTER ROLE {role} PASSWORD '{password}'")


def _password(role: str, file: Path, url: str) -> str:
    """The role's password, kept from an earlier run; the file names the server as it is reached today."""
    known = urlsplit(read_private(file).decode()).password if file.exists() else None
    password = known or secrets.token_urlsafe(24)
    write_private(file, with_login(url, role, password).encode())
    return password


def _vault_passwords(admin_url: str, databases: Databases) -> dict[str, Secret[str]]:
    vault = with_database(admin_url, databases.vault)
    return {
        login: Secret(_password(vault_role(login, databases.vault), databases.vault_url_file(login), vault))
        for login in LOGINS
    }


def with_database(url: str, name: str) -> str:
    """The same server's URL for another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name)}"))


def with_login(url: str, role: str, password: str) -> str:
    """The same database's URL for another login."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password)}@{host}"))
