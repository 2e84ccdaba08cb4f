"""Many people searched and read together in files and Delta tables: each gets what they would have got alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from services.fulfillment.adapters.objects.folder import Folder
from services.fulfillment.adapters.objects.store import Stored
from services.fulfillment.bulk import Gathered, ReadsMany, Shown, Sought
from services.fulfillment.ports import Adapter, Frozen, NeedsPerson, Subject
from services.fulfillment.too_much import rows_of_one
from tests.support.nested_columns import InDeltaTables, InParquet
from tests.support.nested_worlds import ADA, BOB, InLines, World
from tests.support.object_store import ObjectStore
from tests.support.shop import AFTER, BEFORE, CARD, CUT_OFF, SHARED, Shop, subject
from tests.support.shop_in_files import FileShop, InBucket, InFolder

_TOWNS: dict[str, Callable[[Path], World]] = {
    "jsonl": lambda home: InLines(home, InFolder(home)),
    "parquet": lambda home: InParquet(home, InFolder(home)),
    "delta": InDeltaTables,
}
NOBODY = Subject({"email": "nobody@example.com"})
TOWN: Sequence[Sought] = [(ADA, CUT_OFF), (BOB, CUT_OFF), (NOBODY, CUT_OFF), (ADA, AFTER)]
SHOP: Sequence[Sought] = [
    (subject(), CUT_OFF),
    (Subject({"email": "bob@example.com", "phone": "530 555 0199"}), AFTER),
    (NOBODY, CUT_OFF),
    (Subject({"phone": "+1 530 555 0142"}), CUT_OFF),
]


@pytest.fixture(params=_TOWNS)
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    opened = await _TOWNS[request.param](tmp_path).open()
    yield opened
    await opened.close()


@pytest.fixture(params=["csv", "parquet"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    opened = await FileShop(tmp_path, InFolder(tmp_path), request.param).open()
    yield opened
    await opened.close()


async def both(adapter: Adapter, sought: Sequence[Sought]) -> tuple[list[Any], list[Any]]:
    """What all find together, and what each finds alone."""
    assert isinstance(adapter, ReadsMany)
    return (
        await adapter.find_many(sought),
        [await adapter.find(one, cut_off=until) for one, until in sought],
    )


async def shown(adapter: Adapter, alone: Sequence[Frozen], sought: Sequence[Sought]) -> list[Any]:
    assert isinstance(adapter, ReadsMany)
    wanted = [
        Shown(one, until, since)
        for one, (_, until) in zip(alone, sought, strict=True)
        for since in (None, BEFORE)
    ]
    found = await adapter.export_many(wanted)
    assert found == [await adapter.export(one.frozen, cut_off=one.cut_off, since=one.since) for one in wanted]
    return found


async def test_what_is_found_and_shown_together_is_what_each_is_alone(town: World) -> None:
    together, alone = await both(town.adapter(), TOWN)

    assert [one.digest() for one in together] == [one.digest() for one in alone]
    assert together[0].count() > 5
    await shown(town.adapter(), alone, TOWN)


async def test_in_the_shop_too_whose_rows_lead_from_one_to_another(shop: Shop) -> None:
    adapter = shop.adapter()

    together, alone = await both(adapter, SHOP)

    assert [one.digest() for one in together] == [one.digest() for one in alone]
    assert {name: set(keys) for name, keys in together[0].shared.items()} == shop.expected(SHARED)
    exports = await shown(adapter, alone, SHOP)
    assert CARD not in str([data.rows for one in exports for data in one.datasets])


async def test_who_only_an_older_version_of_an_object_holds_is_found_together_and_shown_alone(
    tmp_path: Path, s3: ObjectStore
) -> None:
    world = InLines(tmp_path, InBucket(s3))
    await world.open()
    world.place.write("alerts.jsonl", b'{"id": 52, "data": {"to": "bob@example.com"}}\n')
    adapter = world.adapter()

    together, alone = await both(adapter, TOWN[:2])

    assert [one.digest() for one in together] == [one.digest() for one in alone]
    assert any(len(key) > 1 for key in together[0].rows["alerts"])
    assert isinstance(adapter, ReadsMany)
    assert await adapter.export_many([Shown(one, CUT_OFF) for one in together]) == [
        None,
        await adapter.export(together[1], cut_off=CUT_OFF),
    ]
    await world.close()


async def test_each_ones_own_cut_off_holds_and_who_is_not_sure_is_asked_alone(shop: Shop) -> None:
    await shop.re_register()
    adapter = shop.adapter()

    together, alone = await both(adapter, [(subject(), CUT_OFF), (subject(), AFTER)])

    assert [one.digest() for one in together] == [one.digest() for one in alone]
    assert together[0].count() < together[1].count()
    assert isinstance(adapter, ReadsMany)
    late = Shown(together[1], CUT_OFF)
    assert await adapter.export_many([late, Shown(together[1], AFTER)]) == [
        None,
        await adapter.export(together[1], cut_off=AFTER),
    ]


async def test_of_whom_too_much_is_held_goes_to_a_person_and_the_others_are_found(town: World) -> None:
    system = town.system()
    few = system.model_copy(update={"limits": system.limits.model_copy(update={"max_rows": 6})})
    gathered = Gathered(town.adapter(few))

    ada, bob = await asyncio.gather(*(gathered.find(one, cut_off=CUT_OFF) for one in (ADA, BOB)))

    assert ada == NeedsPerson("unbounded", rows_of_one(6))
    assert isinstance(bob, Frozen)


async def test_a_file_is_read_as_often_for_many_people_as_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await InParquet(tmp_path, InFolder(tmp_path)).open()
    adapter, opened = world.adapter(), list[str]()
    assert isinstance(adapter, ReadsMany)
    plain = Folder.open

    def counted(folder: Folder, stored: Stored) -> AbstractContextManager[BinaryIO]:
        opened.append(stored.name)
        return plain(folder, stored)

    monkeypatch.setattr(Folder, "open", counted)

    await adapter.find(ADA, cut_off=CUT_OFF)
    for_one = len(opened)
    await adapter.find_many([(ADA, CUT_OFF)] * 50)

    assert len(opened) == 2 * for_one
    await world.close()
