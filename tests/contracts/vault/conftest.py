from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from uuid import uuid4

import asyncpg
import pytest

from deploy.vault_database import LOGINS, migrate_vault, vault_role
from shared.privacy import Secret
from shared.vault import PostgresKeys
from tests.support.memory_vault import MemoryKeyStore
from tests.support.own_postgres import own_postgres
from tests.support.vaults import Keeper, VaultDatabase, World


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_postgres(tmp_path_factory.mktemp("vault")) as url:
        yield url


@pytest.fixture(scope="session")
async def vault_database(postgres_url: str) -> AsyncIterator[VaultDatabase]:
    name = f"vault_{uuid4().hex[:8]}"
    database = VaultDatabase(postgres_url, name, {login: Secret(uuid4().hex) for login in LOGINS})
    for _ in range(2):
        await migrate_vault(postgres_url, database.passwords, database=name)
    yield database
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    for login in LOGINS:
        await admin.execute(f"DROP ROLE {vault_role(login, name)}")
    await admin.close()


@pytest.fixture(scope="session")
async def postgres_keys(vault_database: VaultDatabase) -> AsyncIterator[Keeper]:
    async with AsyncExitStack() as stack:
        pools = {
            login: await stack.enter_async_context(
                asyncpg.create_pool(vault_database.url(login), min_size=1, max_size=4)
            )
            for login in LOGINS
        }
        yield Keeper({login: PostgresKeys(pool) for login, pool in pools.items()})


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.connected)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return World(MemoryKeyStore())
    return World(request.getfixturevalue("postgres_keys"))
