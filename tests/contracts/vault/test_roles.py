"""Who may call what in the vault's database, and that nobody may read its tables."""

import asyncpg
import pytest

from deploy.vault_database import GRANTS, LOGINS
from shared.vault.month_key import month_key_id
from tests.support.vaults import VaultDatabase

pytestmark = pytest.mark.connected

CALLS = {
    "create_keys": "SELECT * FROM vault.create_keys('{}', '{}', '{}')",
    "open_keys": "SELECT * FROM vault.open_keys('{}')",
    "destroy_keys": "SELECT vault.destroy_keys('{}', 'x')",
    "create_month_key": "SELECT * FROM vault.create_month_key('2026-01', 'x', '1')",
    "stale_keys": "SELECT * FROM vault.stale_keys('1', gen_random_uuid(), 1)",
    "rewrap_key": "SELECT vault.rewrap_key(gen_random_uuid(), 'a', 'b', '1')",
}
OUT_OF_REACH = (
    "SELECT * FROM vault.keys",
    "DELETE FROM vault.keys",
    "COPY vault.keys TO STDOUT",
    "CREATE TABLE vault.mine ()",
    "CREATE TABLE public.mine ()",
    "SET ROLE habeas_vault_owner",
)


async def _connect(database: VaultDatabase, login: str) -> asyncpg.Connection:
    return await asyncpg.connect(database.url(login))


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("function", CALLS)
async def test_each_login_calls_what_it_was_granted(
    vault_database: VaultDatabase, login: str, function: str
) -> None:
    connection = await _connect(vault_database, login)
    try:
        if login in GRANTS[function]:
            await connection.execute(CALLS[function])
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(CALLS[function])
    finally:
        await connection.close()


def test_every_function_that_is_granted_is_tried() -> None:
    assert set(CALLS) == set(GRANTS)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("statement", OUT_OF_REACH)
async def test_nobody_reaches_around_the_functions(
    vault_database: VaultDatabase, login: str, statement: str
) -> None:
    connection = await _connect(vault_database, login)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_database_and_the_code_agree_on_the_months_id(vault_database: VaultDatabase) -> None:
    connection = await _connect(vault_database, "deadline")
    row = await connection.fetchrow("SELECT * FROM vault.create_month_key('2031-12', 'x', '1')")
    await connection.close()

    assert row["request_id"] == month_key_id("2031-12")


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "", "2026-01x"])
async def test_a_month_key_is_made_for_a_month_only(vault_database: VaultDatabase, month: str) -> None:
    connection = await _connect(vault_database, "intake")
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await connection.execute("SELECT * FROM vault.create_month_key($1, 'x', '1')", month)
    await connection.close()


async def test_a_wrong_password_opens_nothing(vault_database: VaultDatabase) -> None:
    wrong = vault_database.url("intake").replace(vault_database.passwords["intake"].reveal(), "wrong")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


async def test_a_destroyed_key_leaves_no_bytes_and_its_reason(vault_database: VaultDatabase) -> None:
    request_id = month_key_id("not a month")
    keeper = await _connect(vault_database, "intake")
    await keeper.execute("SELECT vault.create_keys($1, $2, $3)", [request_id], [b"wrapped"], ["1"])
    await keeper.close()
    deadline = await _connect(vault_database, "deadline")
    await deadline.execute("SELECT vault.destroy_keys($1, 'closed')", [request_id])
    await deadline.execute("SELECT vault.destroy_keys($1, 'again')", [request_id])
    await deadline.close()

    admin = await asyncpg.connect(vault_database.admin_url, database=vault_database.name)
    row = await admin.fetchrow("SELECT * FROM vault.keys WHERE request_id = $1", request_id)
    await admin.close()

    assert row["wrapped"] is None
    assert row["kek_version"] is None
    assert row["destroyed_at"] is not None
    assert row["reason"] == "closed"
