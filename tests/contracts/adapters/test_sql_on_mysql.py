"""What MariaDB and MySQL do otherwise than the databases that the gate starts; `make stores` runs this against both."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from services.fulfillment.adapters.sql.conditions import matches
from services.fulfillment.adapters.sql.connect import make_engine
from services.fulfillment.adapters.sql.tables import read_tables
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, System
from services.fulfillment.ports import (
    Ambiguous,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Retry,
    StillPresent,
    Subject,
)
from services.fulfillment.replaying import ListsPeople
from shared.policy.reading import read_yaml
from tests.support.cutting_proxy import When, cutting_proxy
from tests.support.locked import deleted_while_locked
from tests.support.shop import AFTER, BEFORE, CUT_OFF, EMAIL, FOUND, Shop, subject

SHOP = Path(__file__).parents[2] / "support" / "shop.yaml"
KEY = "0123456789abcdef"


async def found(shop: Shop, who: Subject | None = None) -> Frozen:
    frozen = await shop.adapter().find(who or subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def deleted(shop: Shop, frozen: Frozen) -> dict[str, int]:
    adapter = shop.adapter()
    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(outcome, Done), outcome
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    return {count.dataset: count.erased for count in outcome.receipt.datasets}


def through(shop: Shop, **parts: Any) -> str:
    return sa.make_url(shop.adapter_url).set(**parts).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "other", ["áda.canary@example.com", "ada.canary@example.com ", "ada.cánary@EXAMPLE.com"]
)
async def test_an_address_that_the_collation_takes_for_the_same_is_another_persons(
    mysql_only: Shop, other: str
) -> None:
    await mysql_only.add("invoices", id=900, billed_email=other, created_at=BEFORE)
    await mysql_only.add("customers", id=901, email=other, full_name="Other", created_at=BEFORE)
    same = await mysql_only.rows("invoices WHERE billed_email = 'ada.canary@example.com'")
    assert len(same) == 2, "the collation must take them for one, or this shows nothing"

    frozen = await found(mysql_only)
    await deleted(mysql_only, frozen)

    assert frozen.rows["invoices"] == ((100,),)
    assert (901,) not in frozen.rows["customers"]
    assert "901" in {row[0] for row in await mysql_only.rows("customers")}


async def test_a_reference_by_text_leads_to_the_same_text_alone(mysql_only: Shop) -> None:
    shop = mysql_only
    token = {"customers": "CHAR(8)", "invoices": "VARCHAR(8) CHARACTER SET latin1"}
    for table, kind in token.items():
        await shop.run(f"ALTER TABLE {table} ADD COLUMN token {kind}")
    await shop.run("UPDATE customers SET token = 'aB3x' WHERE id = 1")
    for number, value in ((910, "aB3x"), (911, "ab3X"), (912, "aB3x ")):
        await shop.add("invoices", id=number, billed_email="till@example.com", token=value, created_at=BEFORE)

    frozen = await shop.adapter(with_tokens(shop)).find(subject(), cut_off=CUT_OFF)

    assert isinstance(frozen, Frozen), frozen
    assert set(frozen.rows["invoices"]) == {(100,), (910,)}


async def test_an_address_is_looked_up_by_the_columns_index(mysql_only: Shop) -> None:
    await mysql_only.run("ALTER TABLE invoices MODIFY billed_email VARCHAR(100) NOT NULL")
    await mysql_only.run("CREATE INDEX by_address ON invoices (billed_email)")
    system = mysql_only.system()
    engine = make_engine(system.address(), system.limits)
    async with engine.connect() as connection:
        tables = await read_tables(connection, system.datamap)
        condition = matches(tables["invoices"].column("billed_email"), EMAIL, "lower", tables.dialect)
        query = sa.select(sa.literal(1)).select_from(tables["invoices"].clause).where(condition)
        text = query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
        plan = (await connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {text}")).mappings().one()
    await engine.dispose()

    assert plan["key"] == "by_address"


async def test_everybody_is_told_apart_who_the_collation_takes_for_one(mysql_only: Shop) -> None:
    other = "áda.canary@example.com"
    await mysql_only.add("invoices", id=900, billed_email=other, created_at=BEFORE)

    adapter = mysql_only.adapter()
    assert isinstance(adapter, ListsPeople)
    told = [one async for one in adapter.identities(at_once=2)]

    assert {("email", EMAIL), ("email", other)} <= set(told)


async def test_an_identity_that_a_columns_charset_cannot_hold_is_nobodys_there(mysql_only: Shop) -> None:
    await mysql_only.run(
        "ALTER TABLE invoices MODIFY billed_email VARCHAR(100) CHARACTER SET latin1 NOT NULL"
    )

    assert not (await found(mysql_only, Subject({"email": "жанна@example.com"}))).rows
    assert (await found(mysql_only)).rows["invoices"] == ((100,),)


async def test_a_quote_is_a_quote_whatever_the_servers_mode_is(mysql_only: Shop, mysql_owner: sa.URL) -> None:
    for number, address in ((920, "o'brien@example.com"), (921, "a\\' OR 1=1 -- @example.com")):
        await mysql_only.add("invoices", id=number, billed_email=address, created_at=BEFORE)
    await globally(mysql_owner, "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
    try:
        one = await found(mysql_only, Subject({"email": "O'Brien@example.com"}))
        other = await found(mysql_only, Subject({"email": "a\\' OR 1=1 -- @example.com"}))
    finally:
        await globally(mysql_owner, "SET GLOBAL sql_mode = DEFAULT")

    assert one.rows == {"invoices": ((920,),)}
    assert other.rows == {"invoices": ((921,),)}


async def test_times_are_compared_in_utc_whatever_the_servers_zone_is(
    mysql_only: Shop, mysql_owner: sa.URL
) -> None:
    await globally(mysql_owner, "SET GLOBAL time_zone = '-08:00'")
    try:
        shop = mysql_only
        await shop.run("ALTER TABLE newsletter MODIFY created_at TIMESTAMP(6) NULL")
        await shop.run("UPDATE newsletter SET created_at = from_unixtime(:at)", at=AFTER.timestamp())
        assert "newsletter" not in (await found(shop)).rows
        await shop.run("UPDATE newsletter SET created_at = from_unixtime(:at)", at=CUT_OFF.timestamp())
        assert (await found(shop)).rows["newsletter"] == ((300,),)
    finally:
        await globally(mysql_owner, "SET GLOBAL time_zone = DEFAULT")


@pytest.mark.parametrize("kind", ["UUID", "BINARY(16)"])
async def test_rows_with_uuids_as_keys_are_found_and_deleted(mysql_only: Shop, kind: str) -> None:
    shop = mysql_only
    if kind == "UUID" and os.environ["HABEAS_TEST_MYSQL"] == "mysql":
        pytest.skip("MySQL has no such type")
    await shop.run("DROP TABLE order_lines")
    await shop.run("DROP TABLE orders")
    await shop.run(
        f"CREATE TABLE orders (id {kind} PRIMARY KEY, customer_id INTEGER NOT NULL, total INTEGER,"
        " created_at DATETIME(6) NOT NULL)"
    )
    await shop.run(
        f"CREATE TABLE order_lines (order_id {kind} NOT NULL REFERENCES orders (id), line_no INTEGER NOT NULL,"
        " product_id INTEGER, created_at DATETIME(6), PRIMARY KEY (order_id, line_no))"
    )
    value = "uuid()" if kind == "UUID" else "unhex(replace(uuid(), '-', ''))"
    for customer in (1, 3):
        await shop.run(f"INSERT INTO orders VALUES ({value}, {customer}, 5, '2026-01-10')")  # noqa: S608 - our own words
    await shop.run("INSERT INTO order_lines SELECT id, 1, 7, created_at FROM orders")

    counts = await deleted(shop, await found(shop))

    assert (counts["orders"], counts["order_lines"]) == (1, 1)
    assert (len(await shop.rows("orders")), len(await shop.rows("order_lines"))) == (1, 1)


async def test_a_key_beyond_what_other_databases_count_to_is_deleted(mysql_only: Shop) -> None:
    shop = mysql_only
    await shop.run("ALTER TABLE newsletter MODIFY id INTEGER UNSIGNED")
    await shop.run("UPDATE newsletter SET id = 4000000000 WHERE id = 300")

    frozen = await found(shop)

    assert frozen.rows["newsletter"] == ((4000000000,),)
    assert (await deleted(shop, frozen))["newsletter"] == 1
    assert len(await shop.rows("newsletter")) == 1


async def test_a_table_without_transactions_is_named_and_nothing_is_begun(mysql_only: Shop) -> None:
    shop = mysql_only
    frozen = await found(shop)
    await shop.run("ALTER TABLE newsletter ENGINE=MyISAM")
    before = await shop.content()

    report = await shop.adapter().check()
    outcome = await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert [(one.table, one.problem) for one in report.drift] == [("newsletter", "no_transactions")]
    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "schema"
    assert await shop.content() == before


async def test_a_wrong_password_and_a_missing_privilege_are_for_a_person(mysql_only: Shop) -> None:
    shop = mysql_only
    frozen, before = await found(shop), await shop.content()
    wrong = await shop.adapter(shop.system(through(shop, password="guessed"))).find(
        subject(), cut_off=CUT_OFF
    )
    role = f"{sa.make_url(shop.adapter_url).username}@'127.0.0.1'"
    await shop.run(f"REVOKE DELETE ON {sa.make_url(shop.adapter_url).database}.* FROM {role}")

    outcome = await shop.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(wrong, NeedsPerson)
    assert isinstance(outcome, NeedsPerson)
    assert (wrong.kind, outcome.kind) == ("credentials", "credentials")
    assert await shop.content() == before


@pytest.mark.parametrize("statement", ["UPDATE orders SET total = 0", "SELECT * FROM orders FOR UPDATE"])
async def test_a_lock_that_others_hold_is_waited_for_so_long_and_no_longer(
    mysql_only: Shop, statement: str
) -> None:
    shop = mysql_only
    frozen, before = await found(shop), await shop.content()
    address = sa.make_url(through(shop, drivername="mysql+asyncmy"))

    outcome = await deleted_while_locked(shop, frozen, address=address, lock=statement)

    assert isinstance(outcome, Retry)
    assert await shop.content() == before


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(mysql_only: Shop) -> None:
    shop = mysql_only
    await shop.run("RENAME TABLE invoices TO other")
    await shop.run(
        "CREATE VIEW invoices AS SELECT id, billed_email, card_number, sleep(30) AS created_at FROM other"
    )
    hasty = shop.adapter(shop.system(limits=Limits(statement_seconds=0.3)))
    began = time.monotonic()

    answer = await hasty.find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, Retry), answer
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("word", "when", "answer", "settled"),
    [
        (b"DELETE FROM", "before", Retry, StillPresent),
        (b"DELETE FROM", "after", Retry, StillPresent),
        (b"\x03COMMIT", "before", Ambiguous, StillPresent),
        (b"\x03COMMIT", "after", Ambiguous, Gone),
    ],
)
async def test_a_cut_connection_is_never_taken_for_done_and_the_proof_settles_it(
    mysql_only: Shop,
    word: bytes,
    when: When,
    answer: type[Retry | Ambiguous],
    settled: type[StillPresent | Gone],
) -> None:
    shop = mysql_only
    frozen = await found(shop)
    url = sa.make_url(shop.adapter_url)
    async with cutting_proxy(url.host or "", url.port or 0) as proxy:
        adapter = shop.adapter(shop.system(through(shop, port=proxy.port)))
        assert (await adapter.check()).ok  # for a new connection says COMMIT, too
        proxy.cut_at(word, when)

        outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

        assert proxy.cuts == 1
        assert isinstance(outcome, answer), outcome
        assert isinstance(await shop.adapter().prove("delete", frozen, cut_off=CUT_OFF), settled)
        again = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
        assert isinstance(again, Done), again
        await adapter.close()


async def test_a_hundred_thousand_rows_are_deleted_in_chunks_of_one_transaction(
    mysql_only: Shop, record_testsuite_property: Callable[[str, object], None]
) -> None:
    shop = mysql_only
    ten = "(SELECT 0 UNION ALL " + " UNION ALL ".join(f"SELECT {n}" for n in range(1, 10)) + ")"
    rows = ", ".join(f"{ten} t{n}" for n in range(5))
    many = f"SELECT uuid(), 1, 1, '2026-01-10' FROM {rows}"  # noqa: S608 - our own words
    await shop.run(f"INSERT INTO orders (id, customer_id, total, created_at) {many}")
    limits = Limits(max_rows=200_000)
    adapter = shop.adapter(shop.system(limits=limits))
    began = time.monotonic()
    frozen = await adapter.find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    between = time.monotonic()

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done), outcome
    erased = {count.dataset: count.erased for count in outcome.receipt.datasets}
    assert erased["orders"] == 100_000 + len(FOUND["orders"])
    record_testsuite_property("seconds to find the keys of 100,000 orders", round(between - began, 1))
    record_testsuite_property(
        "seconds to delete them, 1,000 a statement", round(time.monotonic() - between, 1)
    )


async def test_the_server_says_what_it_is(
    mysql_owner: sa.URL, record_testsuite_property: Callable[[str, object], None]
) -> None:
    engine = create_async_engine(mysql_owner)
    async with engine.connect() as connection:
        version = (await connection.execute(sa.text("SELECT version()"))).scalar_one()
    await engine.dispose()

    record_testsuite_property("version", version)

    assert ("MariaDB" in version) == (os.environ["HABEAS_TEST_MYSQL"] == "mariadb")


async def globally(owner: sa.URL, statement: str) -> None:
    engine = create_async_engine(owner)
    async with engine.begin() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()


def with_tokens(shop: Shop) -> System:
    """The shop whose invoices lead to their customer by a token."""
    content: Any = read_yaml(SHOP.read_bytes())
    fields = {one["name"]: one["fields"] for one in content["dataset"][0]["collections"]}
    fields["customers"].append({"name": "token"})
    reference = {"dataset": "shop", "field": "customers.token", "direction": "from"}
    fields["invoices"].append({"name": "token", "fides_meta": {"references": [reference]}})
    return shop.system().model_copy(update={"datamap": read_dataset(content, file="shop.yaml")})
