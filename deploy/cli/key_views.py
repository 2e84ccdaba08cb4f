"""What `habeas keys` does beyond files: shows versions without key material, walks through the vault."""

from datetime import datetime
from pathlib import Path

import asyncpg

from deploy.settings import local_settings
from shared.hosting import clock_of
from shared.keyfiles import KeyFiles
from shared.private_files import KeyFileRefused, read_private
from shared.vault import PostgresKeys, Rewrapped, rewrap


def key_versions(folder: Path) -> dict[str, list[str]]:
    """Each key's versions or ids, the one in use first."""
    keys = KeyFiles(folder)
    return {
        "kek": list(keys.kek().versions),
        "lookup": list(keys.lookup().versions),
        "request-secret": list(keys.request_secret().versions),
        "submissions": [jwk["kid"] for jwk in keys.submissions().public_jwks()],
        "evidence": [key.kid for key in keys.evidence().keys],
        "answers": [key.kid for key in keys.answers().keys],
        "directives": [key.kid for key in keys.directives().keys],
        "cli": [key.kid for key in keys.cli().keys],
    }


def retired_versions(folder: Path) -> set[str]:
    """Keys that sign nothing any more."""
    return {key.kid for key in KeyFiles(folder).evidence().keys if key.retired_at is not None}


def now_of() -> datetime:
    """The installation's time."""
    return clock_of(local_settings()).now()


async def rewrap_vault(home: Path) -> Rewrapped:
    """Log in as the keeper, who may do nothing else, and wrap the stale keys again."""
    url = read_private(home / "secrets" / "keeper.vault-url", made_by="habeas migrate").decode().strip()
    try:
        pool = await asyncpg.create_pool(url, min_size=1, max_size=1)
    except (asyncpg.PostgresError, OSError) as error:
        raise KeyFileRefused(
            f"the vault does not answer ({type(error).__name__}); start it and repeat"
        ) from None
    async with pool:
        return await rewrap(PostgresKeys(pool), KeyFiles(home / "keys").kek())
