"""What is wrong with a map or a system is said by name at the check, or is a person's: never half a run.

The rest of the list has its tests where the thing itself is tested. An unknown key, a reference to nowhere:
tests/unit/fulfillment/test_datamap.py. A missing secret, a system that is away, a changed schema, too
many matches: test_any_adapter.py, for every adapter. An address that 5,000 people share: test_sql_on_a_server.py.
Nonsense from a connector: test_http_on_a_server.py and tests/contracts/connectors.
"""

from typing import Any

import pytest

from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, System
from services.fulfillment.ports import CheckReport, Done, Drift, Frozen, NeedsPerson, Subject
from tests.support.shop import CUT_OFF, Shop

KEY = "0" * 64
ADA = Subject({"email": "ada@example.com"})
EMAIL = {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}}


def field(name: str, **meta: Any) -> dict[str, Any]:
    return {"name": name, "data_categories": ["user.unique_id"], "fides_meta": meta}


def table(name: str, *fields: dict[str, Any], **habeas: Any) -> dict[str, Any]:
    key = {"name": "id", "fides_meta": {"primary_key": True}}
    return {"name": name, "fides_meta": {"habeas": habeas} if habeas else {}, "fields": [key, *fields]}


def refers(to: str) -> list[dict[str, str]]:
    return [{"dataset": "bad", "field": to}]


async def system(shop: Shop, statements: str, *tables: dict[str, Any], most: int = 1000) -> System:
    """A system of these tables, and of nothing else that the map knows."""
    for statement in statements.split(";"):
        await shop.run(statement)
    written = {"dataset": [{"fides_key": "bad", "name": "Bad", "collections": list(tables)}]}
    datamap = read_dataset(written, file="bad.yaml")
    return shop.system(limits=Limits(max_rows=most)).model_copy(update={"datamap": datamap})


async def problems(shop: Shop, bad: System) -> set[tuple[str, str, str]]:
    names = set(bad.datamap.collections)
    report = await shop.adapter(bad).check()
    return {(one.table, one.column, one.problem) for one in report.drift if one.table in names}


async def deleted(shop: Shop, bad: System, subject: Subject = ADA) -> object:
    adapter = shop.adapter(bad)
    frozen = await adapter.find(subject, cut_off=CUT_OFF)
    if not isinstance(frozen, Frozen):
        return frozen
    return await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)


CIRCLE = """
CREATE TABLE people (id integer PRIMARY KEY, email text, account integer);
CREATE TABLE accounts (id integer PRIMARY KEY, person integer NOT NULL REFERENCES people);
ALTER TABLE people ADD FOREIGN KEY (account) REFERENCES accounts;
INSERT INTO people VALUES (1, 'ada@example.com'), (2, 'bob@example.com');
INSERT INTO accounts VALUES (7, 1), (8, 2);
UPDATE people SET account = id + 6"""
IN_A_CIRCLE = (
    table("people", EMAIL, field("account", references=refers("accounts.id"))),
    table("accounts", field("person", references=refers("people.id"))),
)


async def test_a_circle_with_a_way_out_is_let_go_of_and_erased(postgresql_only: Shop) -> None:
    shop = postgresql_only
    circle = await system(shop, CIRCLE, *IN_A_CIRCLE)

    assert await problems(shop, circle) == set()
    outcome = await deleted(shop, circle)

    assert isinstance(outcome, Done)
    assert {one.dataset: one.erased for one in outcome.receipt.datasets} == {"people": 1, "accounts": 1}
    assert await shop.rows("people") == [("2", "bob@example.com", "8")]
    assert await shop.rows("accounts") == [("8", "2")]


async def test_a_circle_without_a_way_out_is_said_at_the_check_and_half_of_it_never_goes(
    postgresql_only: Shop,
) -> None:
    shop = postgresql_only
    tight = f"{CIRCLE}; ALTER TABLE people ALTER account SET NOT NULL"
    circle = await system(shop, tight, *IN_A_CIRCLE)

    assert await problems(shop, circle) == {
        ("accounts", "person", "no_way_out"),
        ("people", "account", "no_way_out"),
    }
    outcome = await deleted(shop, circle)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "refused"
    assert len(await shop.rows("people")) == len(await shop.rows("accounts")) == 2


async def test_columns_of_types_that_cannot_be_compared_are_said_at_the_check_and_nothing_goes(
    postgresql_only: Shop,
) -> None:
    shop = postgresql_only
    statements = """
    CREATE TABLE people (id integer PRIMARY KEY, email jsonb, born integer);
    CREATE TABLE sales (id integer PRIMARY KEY, person text, made integer);
    INSERT INTO people VALUES (1, '"ada@example.com"', 1); INSERT INTO sales VALUES (5, '1', 1)"""
    sales = table("sales", field("person", references=refers("people.id")), field("made"), created_at="made")
    wrong = await system(shop, statements, table("people", EMAIL), sales)

    assert await problems(shop, wrong) == {
        ("people", "email", "wrong_type"),
        ("sales", "person", "wrong_type"),
        ("sales", "made", "wrong_type"),
    }
    assert isinstance(await deleted(shop, wrong), NeedsPerson)
    assert len(await shop.rows("sales")) == 1


async def test_an_identifier_of_another_type_than_its_column_is_nobody_s(postgresql_only: Shop) -> None:
    shop = postgresql_only
    statements = (
        "CREATE TABLE people (id integer PRIMARY KEY, number integer); INSERT INTO people VALUES (1, 5)"
    )
    numbered = await system(shop, statements, table("people", field("number", identity="customer_id")))

    for typed in ("C-5", "5; DROP TABLE people", "99999999999999999999", "5.0"):
        frozen = await shop.adapter(numbered).find(Subject({"customer_id": typed}), cut_off=CUT_OFF)
        assert isinstance(frozen, Frozen)
        assert frozen.is_empty


async def test_a_person_of_more_rows_than_one_has_is_a_person_s_to_decide_and_keeps_them_all(
    postgresql_only: Shop,
) -> None:
    shop = postgresql_only
    statements = """
    CREATE TABLE people (id integer PRIMARY KEY, email text);
    CREATE TABLE clicks (id integer PRIMARY KEY, person integer REFERENCES people);
    INSERT INTO people VALUES (1, 'ada@example.com');
    INSERT INTO clicks SELECT n, 1 FROM generate_series(1, 5000) n"""
    clicks = table("clicks", field("person", references=refers("people.id")))
    many = await system(shop, statements, table("people", EMAIL), clicks, most=4000)

    outcome = await deleted(shop, many)

    assert outcome == NeedsPerson(
        "unbounded",
        "more than 4000 rows lead from one person; where all of them are theirs, raise limits.max_rows in the system's"
        " file and have the task tried again",
    )
    assert len(await shop.rows("clicks")) == 5000


@pytest.mark.parametrize("problem", ["wrong_type", "no_way_out", "closed", "no_json"])
def test_each_of_these_makes_a_check_fail(problem: Any) -> None:
    assert not CheckReport(reachable=True, credentials=True, drift=(Drift("people", "id", problem),)).ok
