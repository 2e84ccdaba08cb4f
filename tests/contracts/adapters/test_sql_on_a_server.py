"""What only a database server can do to the sql adapter: refuse a password, be cut off, hold a lock."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql import database, questions
from services.fulfillment.adapters.sql.tables import Tables, read_tables
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import (
    Ambiguous,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Retry,
    StillPresent,
    Unknown,
)
from tests.support.cutting_proxy import When, cutting_proxy
from tests.support.locked import deleted_while_locked
from tests.support.shop import CUT_OFF, FOUND, Shop, subject

pytestmark = pytest.mark.connected

KEY = "0123456789abcdef"


async def found(shop: Shop) -> Frozen:
    frozen = await shop.adapter().find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen


async def test_a_wrong_password_is_for_a_person(postgresql_only: Shop) -> None:
    shop = postgresql_only
    address = sa.make_url(shop.adapter_url).set(password="guessed")
    adapter = shop.adapter(shop.system(address.render_as_string(hide_password=False)))

    answer = await adapter.find(subject(), cut_off=CUT_OFF)
    report = await adapter.check()

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"
    assert (report.reachable, report.credentials, report.ok) == (True, False, False)


async def test_a_mended_password_is_taken_up_without_a_restart(postgresql_only: Shop) -> None:
    shop = postgresql_only
    system = shop.system(
        sa.make_url(shop.adapter_url).set(password="guessed").render_as_string(hide_password=False)
    )
    adapter = shop.adapter(system)
    assert isinstance(await adapter.find(subject(), cut_off=CUT_OFF), NeedsPerson)

    assert system.url is not None
    assert system.url.file is not None
    system.url.file.write_text(shop.adapter_url)

    assert isinstance(await adapter.find(subject(), cut_off=CUT_OFF), Frozen)


async def test_a_role_that_may_not_delete_is_for_a_person_and_deletes_nothing(postgresql_only: Shop) -> None:
    shop = postgresql_only
    frozen, before = await found(shop), await shop.content()
    await shop.run(f"REVOKE DELETE ON orders FROM {sa.make_url(shop.adapter_url).username}")

    outcome = await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "credentials"
    assert await shop.content() == before


@pytest.mark.parametrize(
    ("word", "when", "answer", "settled"),
    [
        (b"DELETE FROM", "before", Retry, StillPresent),
        (b"DELETE FROM", "after", Retry, StillPresent),
        (b"COMMIT", "before", Ambiguous, StillPresent),
        (b"COMMIT", "after", Ambiguous, Gone),
    ],
)
async def test_a_cut_connection_is_never_taken_for_done_and_the_proof_settles_it(
    postgresql_only: Shop,
    word: bytes,
    when: When,
    answer: type[Retry | Ambiguous],
    settled: type[StillPresent | Gone],
) -> None:
    shop = postgresql_only
    frozen = await found(shop)
    url = sa.make_url(shop.adapter_url)
    async with cutting_proxy(url.host or "", url.port or 0) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        adapter = shop.adapter(shop.system(through))
        proxy.cut_at(word, when)

        outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

        assert proxy.cuts == 1
        assert isinstance(outcome, answer)
        assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), settled | Unknown)
        assert isinstance(await shop.adapter().prove("delete", frozen, cut_off=CUT_OFF), settled)
        again = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
        assert isinstance(again, Done)
        await adapter.close()


async def test_a_lock_that_others_hold_is_waited_for_so_long_and_no_longer(postgresql_only: Shop) -> None:
    shop = postgresql_only
    frozen, before = await found(shop), await shop.content()
    address = sa.make_url(shop.adapter_url).set(drivername="postgresql+asyncpg")

    outcome = await deleted_while_locked(shop, frozen, address=address, lock="UPDATE orders SET total = 0")

    assert isinstance(outcome, Retry)
    assert await shop.content() == before


async def test_the_database_can_tell_which_request_is_at_work(postgresql_only: Shop) -> None:
    shop = postgresql_only
    await shop.run("CREATE TABLE witness (name text, key text)")
    seen = "SELECT current_setting('application_name'), current_setting('habeas.idempotency_key', true)"
    body = f"BEGIN INSERT INTO witness {seen}; RETURN NULL; END"
    await shop.run(f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $${body}$$")
    await shop.run("CREATE TRIGGER note AFTER DELETE ON newsletter EXECUTE FUNCTION note()")

    await shop.adapter().act("delete", await found(shop), cut_off=CUT_OFF, idempotency_key=KEY)

    assert await shop.rows("witness") == [(f"habeas {KEY}", KEY)]


async def test_a_machine_too_busy_to_go_on_at_once_is_not_taken_for_a_database_that_is_away(
    postgresql_only: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = postgresql_only

    async def read_and_waited(connection: AsyncConnection, datamap: DataMap) -> Tables:
        tables = await read_tables(connection, datamap)
        await shop.run("SELECT pg_sleep(0.5)")
        return tables

    monkeypatch.setattr(database, "read_tables", read_and_waited)
    hasty = shop.adapter(shop.system(limits=Limits(statement_seconds=0.2)))

    assert isinstance(await hasty.find(subject(), cut_off=CUT_OFF), Frozen)


async def test_a_person_with_thousands_of_rows_is_deleted_in_chunks_of_one_transaction(
    postgresql_only: Shop,
) -> None:
    shop = postgresql_only
    many = "SELECT gen_random_uuid(), 1, 1, timestamptz '2026-01-10' FROM generate_series(1, 5000)"
    await shop.run(f"INSERT INTO orders (id, customer_id, total, created_at) {many}")
    adapter = shop.adapter(shop.system(limits=Limits(chunk_rows=700)))
    frozen = await adapter.find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    assert len(frozen.rows["orders"]) == 5000 + len(FOUND["orders"])

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done)
    erased = {count.dataset: count.erased for count in outcome.receipt.datasets}
    assert erased["orders"] == 5000 + len(FOUND["orders"])


async def test_very_many_rows_are_found_some_at_a_time_and_are_the_same(
    postgresql_only: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await found(postgresql_only)

    monkeypatch.setattr(questions, "MOST_AT_ONCE", 1)

    assert (await found(postgresql_only)).digest() == whole.digest()


async def test_an_address_that_five_thousand_people_share_is_for_a_person(postgresql_only: Shop) -> None:
    shop = postgresql_only
    many = (
        "SELECT 1000 + n, 'ada.canary@example.com', timestamptz '2026-01-10' FROM generate_series(1, 5000) n"
    )
    await shop.run(f"INSERT INTO invoices (id, billed_email, created_at) {many}")

    answer = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "unbounded"
    assert "canary" not in answer.reason


async def test_a_household_is_erased_with_the_last_person_who_lives_there(postgresql_only: Shop) -> None:
    shop = postgresql_only
    await shop.run("UPDATE customers SET household_id = NULL WHERE id = 3")

    frozen = await found(shop)

    assert set(frozen.rows["households"]) == {(10,), (20,)}
    assert not frozen.shared


async def test_a_frozen_table_that_left_the_map_is_for_a_person(postgresql_only: Shop) -> None:
    frozen = replace(await found(postgresql_only), rows={"gone": ((1,),)})

    outcome = await postgresql_only.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "schema"
