"""What every system that is told must do, whatever it is told by."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.fulfillment.connecting import entry_of
from services.fulfillment.datamap.model import MapError
from services.fulfillment.ports import (
    Ambiguous,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Nothing,
    Outcome,
    Retry,
    StillPresent,
    Subject,
    Unknown,
)
from shared.policy.rights import Right
from tests.support.told import Folder, Letterbox, Processor, Webhook, World

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
EMAIL = "ada.canary@example.com"
ADA = Subject({"email": EMAIL, "phone": "+15305550142"})
KINDS: dict[str, Callable[[], World]] = {
    "webhook": Webhook,
    "files": Folder,
    "opendsr": Processor,
    "email": Letterbox,
}


@pytest.fixture(params=sorted(KINDS))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    opened = await KINDS[request.param]().open(tmp_path)
    yield opened
    await opened.close()


async def found(world: World) -> Frozen:
    frozen = await world.adapter().find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen


async def act(world: World, frozen: Frozen, right: str = "delete") -> Outcome:
    return await world.adapter().act(right, frozen, cut_off=CUT_OFF, idempotency_key="a key")


async def test_it_tells_what_the_map_names_and_nothing_else(world: World) -> None:
    outcome = await act(world, await found(world))

    assert isinstance(outcome, Done | Ambiguous)
    assert len(world.orders()) == 1
    assert EMAIL in str(world.orders())
    assert "5550142" not in str(world.orders())


async def test_the_same_order_is_given_once(world: World) -> None:
    frozen = await found(world)

    for stored in (frozen, Frozen.from_json(frozen.to_json())):
        assert isinstance(await act(world, stored), Done | Ambiguous)

    assert len(world.orders()) == 1


async def test_who_is_not_known_by_what_the_map_names_is_nobody_s_business(world: World) -> None:
    frozen = await world.adapter().find(Subject({"phone": "+15305550142"}), cut_off=CUT_OFF)

    assert isinstance(frozen, Frozen)
    assert isinstance(await act(world, frozen), Nothing)
    assert world.orders() == []


async def test_done_is_what_the_other_side_says(world: World) -> None:
    frozen, adapter = await found(world), world.adapter()
    if not adapter.capabilities.verify:
        assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Unknown)
        return
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), StillPresent)

    outcome = await act(world, frozen)
    waiting = await adapter.prove("delete", frozen, cut_off=CUT_OFF)
    world.done()
    proof = await adapter.prove("delete", frozen, cut_off=CUT_OFF)

    assert isinstance(outcome, Ambiguous)
    assert outcome.jobs
    assert isinstance(waiting, Unknown)
    assert waiting.look_again is not None
    assert proof == Gone({"people": 1})


async def test_a_right_that_it_is_not_told_of_is_for_a_person(world: World) -> None:
    outcome = await act(world, await found(world), "opt_out")

    assert isinstance(outcome, NeedsPerson)
    assert world.orders() == []
    assert entry_of(world.system()).rights == {Right.DELETE}


async def test_trouble_is_never_taken_for_done_and_quotes_nobody(world: World) -> None:
    frozen = await found(world)
    world.fail(503)

    outcome = await act(world, frozen)

    assert isinstance(outcome, Retry | Ambiguous)
    assert "canary" not in outcome.reason


async def test_a_missing_secret_is_a_matter_of_credentials(world: World, tmp_path: Path) -> None:
    frozen, adapter = await found(world), world.adapter()
    (tmp_path / "told.url").unlink()

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="key")

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "credentials"
    assert not (await adapter.check()).ok


async def test_a_healthy_system_passes_its_check(world: World) -> None:
    assert (await world.adapter().check()).ok


async def test_a_copy_cannot_be_had(world: World) -> None:
    frozen = await found(world)

    assert isinstance(await world.adapter().export(frozen, cut_off=CUT_OFF), NeedsPerson)
    categories = await world.adapter().export(frozen, cut_off=CUT_OFF, specific=False)
    assert not isinstance(categories, NeedsPerson | Retry)
    assert [each.category for each in categories.categories] == ["identifiers"]


async def test_a_setting_that_is_not_known_is_refused_by_name(world: World) -> None:
    with pytest.raises(MapError, match=r"settings\.colour: unknown"):
        world.adapter(world.system(settings={"colour": "red"}))
    with pytest.raises(MapError, match=r"settings\.rights: "):
        world.adapter(world.system(settings={"rights": "correct"}))


async def test_a_copy_is_asked_of_opendsr_alone(world: World) -> None:
    system = world.system(settings={"rights": "know_specific"})
    if system.kind == "opendsr":
        assert world.adapter(system).capabilities.verify
        return
    with pytest.raises(MapError, match=r"settings\.rights: "):
        world.adapter(system)


async def test_two_people_are_two_orders_or_one_with_both(world: World) -> None:
    frozen = Frozen({"people": (('{"email":"ada@example.com"}',), ('{"email":"bob@example.com"}',))})

    await act(world, frozen)

    assert {name for name in ("ada@", "bob@") if name in str(world.orders())} == {"ada@", "bob@"}


async def test_a_webhook_s_other_rights_stand_in_its_file(tmp_path: Path) -> None:
    world = await Webhook().open(tmp_path)
    system = world.system(settings={"rights": "delete, opt_out"})

    frozen = await found(world)
    outcome = await world.adapter(system).act("opt_out", frozen, cut_off=CUT_OFF, idempotency_key="key")

    assert isinstance(outcome, Done)
    assert [order["right"] for order in world.orders()] == ["opt_out"]
    await world.close()


@pytest.mark.parametrize(("status", "kind"), [(401, "credentials"), (400, "refused"), (410, "refused")])
async def test_a_webhook_that_refuses_is_for_a_person(tmp_path: Path, status: int, kind: str) -> None:
    world = await Webhook().open(tmp_path)
    world.fail(status)

    outcome = await act(world, await found(world))

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == kind
    await world.close()


async def test_an_address_in_clear_elsewhere_is_told_nothing(tmp_path: Path) -> None:
    world = await Webhook().open(tmp_path)
    frozen = await found(world)
    adapter = world.adapter()
    (tmp_path / "told.url").write_text("http://hooks.example/ours")

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="key")

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "credentials"
    await world.close()


async def test_a_list_that_nobody_looks_at_is_for_a_person_after_some_days(tmp_path: Path) -> None:
    world = await Folder().open(tmp_path)
    frozen = await found(world)
    await act(world, frozen)

    world.clock.passed = timedelta(days=15)
    proof = await world.adapter().prove("delete", frozen, cut_off=CUT_OFF)

    assert isinstance(proof, Unknown)
    assert proof.look_again is None


async def test_nobody_s_name_stays_in_the_folder_once_it_is_done(tmp_path: Path) -> None:
    world = await Folder().open(tmp_path)
    frozen = await found(world)
    await act(world, frozen)
    world.done()

    await world.adapter().prove("delete", frozen, cut_off=CUT_OFF)
    await act(world, frozen)

    assert world.orders() == []
