"""The sample business can be served, and its auditor sees what it claims to see."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from deploy.demo.cascadia.load import NotOursError, load
from deploy.demo.cascadia.places import DATABASES
from services.fulfillment.ports import Ambiguous, Done, Frozen, Gone, NeedsPerson, Retry, Subject
from shared.privacy.claims import Correction
from tests.support.cascadia_world import CUT_OFF, World, opened_world

pytestmark = pytest.mark.connected
in_both = pytest.mark.parametrize("world", ["folder", "store"], indirect=True)


@pytest.fixture
async def world(request: pytest.FixtureRequest, postgresql: sa.URL, tmp_path: Path) -> AsyncIterator[World]:
    """A fresh one, to be changed; its lead lists lie in a folder unless the test says otherwise."""
    in_store = getattr(request, "param", "folder") == "store"
    async with opened_world(postgresql, tmp_path, in_store=in_store) as fresh:
        yield fresh


@pytest.fixture(scope="module")
async def untouched(postgresql: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all tests that leave it as it is."""
    async with opened_world(postgresql, tmp_path_factory.mktemp("cascadia"), in_store=True) as shared:
        yield shared


async def test_every_system_passes_its_check(untouched: World) -> None:
    for adapter in untouched.adapters.values():
        report = await adapter.check()
        assert report.ok
        assert not report.drift


async def test_the_auditor_sees_a_row_that_was_left(untouched: World) -> None:
    person = untouched.cascadia.people[0]

    audit = await untouched.cascadia.audit().look()

    assert ("crm", "contacts", "1") in audit.rows_left(person)
    assert not audit.retained_only_under_exemption(person)


@pytest.mark.parametrize(
    ("system", "forbidden"),
    [
        ("cascadia-crm", "SELECT * FROM ledger.effects"),
        ("cascadia-crm", "DELETE FROM ledger.effects"),
        ("cascadia-crm", "TRUNCATE contacts CASCADE"),
        ("cascadia-crm", "ALTER TABLE contacts DISABLE TRIGGER ALL"),
        ("cascadia-crm", "UPDATE contacts SET email = 'x'"),
        ("cascadia-dms", "DELETE FROM sales"),
        ("cascadia-dms", "UPDATE sales SET buyer_name = 'x'"),
        ("cascadia-dms", "DELETE FROM customers"),
    ],
)
async def test_the_adapters_role_can_neither_touch_the_ledger_nor_do_more_than_it_must(
    untouched: World, system: str, forbidden: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await untouched.run(system, forbidden)


async def test_a_system_under_maintenance_is_tried_again_later(untouched: World) -> None:
    dms = untouched.adapters["cascadia-dms"]
    await untouched.cascadia.take_dms_away()

    away = await dms.find(Subject({"email": "nobody@example.com"}), cut_off=CUT_OFF)
    again = await dms.find(Subject({"email": "nobody@example.com"}), cut_off=CUT_OFF)
    await untouched.cascadia.bring_dms_back()

    assert isinstance(away, Retry)
    assert isinstance(again, Retry)
    assert isinstance(await dms.find(Subject({"email": "nobody@example.com"}), cut_off=CUT_OFF), Frozen)


async def test_secrets_are_for_their_owner_alone(untouched: World) -> None:
    for file in untouched.cascadia.places.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0


@in_both
async def test_deletions_leave_only_what_the_exemption_covers_and_touch_nobody_else(world: World) -> None:
    asked = [*world.cascadia.people[:8], world.owner_of_a_car()]
    for person in asked:
        await world.ask("delete", person)

    audit = await world.cascadia.audit().look()

    assert [audit.rows_left(person) for person in asked] == [()] * len(asked)
    assert all(audit.retained_only_under_exemption(person) for person in asked)
    assert audit.retained(asked[-1]) == 1
    assert audit.bystanders_touched(asked) == ()
    assert await audit.effects_twice() == ()


@in_both
async def test_an_opt_out_reaches_every_list(world: World) -> None:
    person = next(person for person in world.cascadia.people if person.subscribes)
    audit = world.cascadia.audit()
    assert (await audit.look()).not_opted_out(person)

    await world.ask("opt_out", person)

    assert not (await audit.look()).not_opted_out(person)
    assert audit.bystanders_touched([person]) == ()


@in_both
async def test_the_same_request_twice_leaves_no_second_effect(world: World) -> None:
    person = world.owner_of_a_car()
    await world.ask("delete", person)
    audit = world.cascadia.audit()
    before = await audit.effects()

    await world.ask("delete", person)

    assert before > 0
    assert await audit.effects() == before
    assert await audit.effects_twice() == ()


async def test_the_auditor_sees_a_bystander_touched(world: World) -> None:
    await world.run("cascadia-crm", "UPDATE contacts SET do_not_sell = true WHERE id = 5")

    audit = await world.cascadia.audit().look()

    assert audit.bystanders_touched([]) == (("crm", "contacts", "5"),)


async def test_the_auditor_sees_an_effect_that_happened_twice(world: World) -> None:
    key = "SELECT set_config('habeas.idempotency_key', 'the key', false)"
    for state in ("true", "false"):
        await world.run("cascadia-crm", f"{key}; UPDATE contacts SET do_not_sell = {state} WHERE id = 5")  # noqa: S608 - no value of anybody

    twice = await world.cascadia.audit().effects_twice()

    assert {(each.table, each.verb, each.key, each.times) for each in twice} == {
        ("contacts", "UPDATE", "5", 2),
        ("contacts", "UPDATE", "the key", 2),
    }


async def test_the_ledger_also_records_a_statement_that_touched_no_row(world: World) -> None:
    await world.run("cascadia-crm", "DELETE FROM contacts WHERE id = -1")

    connection = await asyncpg.connect(world.cascadia.places.admin(DATABASES["crm"]))
    seen = await connection.fetch("SELECT role, table_name, verb, row_count FROM ledger.effects")
    await connection.close()

    assert [tuple(row) for row in seen] == [("habeas_cascadia_crm", "contacts", "DELETE", 0)]


async def test_a_database_of_somebody_else_is_not_replaced(world: World, tmp_path: Path) -> None:
    places = world.cascadia.places
    connection = await asyncpg.connect(places.admin())
    await connection.execute("COMMENT ON DATABASE cascadia_crm IS 'my own business'")

    with pytest.raises(NotOursError, match="cascadia_crm"):
        await load(places.admin_url, tmp_path, seed=1, people=5)

    await connection.execute("DROP DATABASE cascadia_crm WITH (FORCE)")
    await connection.close()


async def test_the_auditor_sees_a_rented_service_that_was_told_twice(world: World) -> None:
    desk, person = world.adapters["cascadia-helpdesk"], world.owner_of_a_car()
    frozen = await desk.find(Subject({"email": person.email}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)

    # Nobody looks at the job, so the user is still there; under the same key the same job is given again.
    for key in ("a key", "a key", "another key"):
        outcome = await desk.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=key)
        assert isinstance(outcome, Ambiguous)

    (twice,) = await world.cascadia.audit().effects_twice()
    assert (twice.system, twice.table, twice.verb, twice.times) == ("helpdesk", "users", "DELETE", 2)
    assert (twice.key,) == tuple(str(key[0]) for key in frozen.rows["users"])


async def test_the_auditor_sees_what_a_rented_service_still_holds(world: World) -> None:
    person = world.owner_of_a_car()
    for name in ("cascadia-crm", "cascadia-dms", "cascadia-marketing"):
        frozen = await world.adapters[name].find(Subject({"email": person.email}), cut_off=CUT_OFF)
        assert isinstance(frozen, Frozen)
        await world.adapters[name].act("delete", frozen, cut_off=CUT_OFF, idempotency_key=name)

    left = (await world.cascadia.audit().look()).rows_left(person)

    assert {system for system, _, _ in left} >= {"helpdesk"}


@in_both
async def test_a_first_name_is_corrected_where_the_map_lets_it_be_and_is_a_persons_elsewhere(
    world: World,
) -> None:
    person = world.owner_of_a_car()
    wrong = (Correction(what="First name", should_be="Zoë"),)
    outcomes = {}
    for name, adapter in world.adapters.items():
        found = await adapter.find(Subject({"email": person.email}), cut_off=CUT_OFF)
        assert isinstance(found, Frozen)
        frozen = replace(found, corrections=wrong)
        outcomes[name] = await adapter.act("correct", frozen, cut_off=CUT_OFF, idempotency_key="a key")
        if isinstance(outcomes[name], Done):
            assert isinstance(await adapter.prove("correct", frozen, cut_off=CUT_OFF), Gone)

    audit = await world.cascadia.audit().look()
    by_program = {"cascadia-crm", "cascadia-marketing", "cascadia-mailer"}
    assert {name for name, outcome in outcomes.items() if isinstance(outcome, Done)} - {
        "cascadia-leads"
    } == by_program
    assert isinstance(outcomes["cascadia-dms"], NeedsPerson)
    assert {where[0] for where in audit.not_corrected(person, "Zoë")} == {"dms", "helpdesk"}
    assert {where[0] for where in audit.not_corrected(person, "Somebody")} >= {"crm", "marketing", "mailer"}
    assert audit.bystanders_touched([person]) == ()
