"""Makes the vault's database: its roles, its functions, and nothing that anybody could select from.

`habeas migrate` calls this; it changes nothing when run again.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from shared.privacy.secret import Secret

VAULT_DATABASE = "habeas_vault"
OWNER = "habeas_vault_owner"
# Who logs in to the vault: the four services, and the rotation command.
LOGINS = ("intake", "verification", "fulfillment", "deadline", "keeper")
# What each of them may call; there is nothing else that anybody may do.
GRANTS = {
    "create_keys": ("intake",),
    "open_keys": ("intake", "verification", "fulfillment"),
    "destroy_keys": ("deadline",),
    "create_month_key": ("intake", "verification", "fulfillment", "deadline"),
    "stale_keys": ("keeper",),
    "rewrap_key": ("keeper",),
}

_SQL = Path(__file__).parent / "migrations" / "vault.sql"
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_MIGRATION_LOCK = 0x48414245_41530001


def vault_role(login: str, database: str = VAULT_DATABASE) -> str:
    """The role of a service or of the keeper; it carries the database's name, for roles are global."""
    return f"{database}_{login}"


async def migrate_vault(
    admin_url: str, passwords: Mapping[str, Secret[str]], *, database: str = VAULT_DATABASE
) -> None:
    """Create or update the vault; `passwords` goes by login, and a login left out keeps what it has."""
    if not _PLAIN_NAME.fullmatch(database):
        raise ValueError("the vault's database has a plain name: a to z, digits, underscores")
    admin = await asyncpg.connect(admin_url)
    try:
        await _create_roles(admin, passwords, database)
        await _create_database(admin, database)
    finally:
        await admin.close()
    inside = await asyncpg.connect(admin_url, database=database)
    try:
        await _migrate(inside, database)
    finally:
        await inside.close()


async def _create_roles(
    admin: asyncpg.Connection, passwords: Mapping[str, Secret[str]], database: str
) -> None:
    await _create_role(admin, OWNER, "NOLOGIN")
    # An administrator who is no superuser has to be a member of the role that it makes the owner.
    await admin.execute(f"GRANT {OWNER} TO CURRENT_USER")
    for login in LOGINS:
        await _create_role(admin, vault_role(login, database), "LOGIN")
        if login in passwords:
            verifier = _scram_verifier(passwords[login].reveal())
            await admin.execute(f"ALTER ROLE {vault_role(login, database)} PASSWORD '{verifier}'")


async def _create_role(admin: asyncpg.Connection, role: str, login: str) -> None:
    await admin.execute(f"""
        DO $$ BEGIN
          CREATE ROLE {role} {login} NOSUPERUSER NOCREATEDB NOCREATEROLE;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$""")


async def _create_database(admin: asyncpg.Connection, database: str) -> None:
    if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        return
    try:
        await admin.execute(f'CREATE DATABASE "{database}" OWNER {OWNER}')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        return


async def _migrate(inside: asyncpg.Connection, database: str) -> None:
    async with inside.transaction():
        await inside.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
        await inside.execute(f"SET LOCAL ROLE {OWNER}")
        logins = ", ".join(vault_role(login, database) for login in LOGINS)
        await inside.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
        await inside.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {logins}')
        await inside.execute(_SQL.read_text("utf-8"))
        await inside.execute(f"GRANT USAGE ON SCHEMA vault TO {logins}")
        for function, allowed in GRANTS.items():
            roles = ", ".join(vault_role(login, database) for login in allowed)
            await inside.execute(f"GRANT EXECUTE ON FUNCTION vault.{function} TO {roles}")


def _scram_verifier(password: str) -> str:
    # Computed here, so that the password itself reaches neither the server's log nor its statement views.
    salt, rounds = secrets.token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${rounds}:{_b64(salt)}${_b64(stored)}:{_b64(server)}"


def _b64(data: bytes) -> str:
    return b64encode(data).decode()
