"""The contract suite of adapters proves nothing unless it fails where it must: without a bound, its test fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import pytest

from tests.mutations.bounds import BOUNDS, BoundsMutation
from tests.support.shop import Shop, sqlite_shop
from tests.support.shop_in_files import FileShop, InFolder


@pytest.mark.parametrize("mutation", BOUNDS, ids=lambda one: one.name)
async def test_the_contract_catches_the_bug_and_without_it_the_same_test_passes(
    mutation: BoundsMutation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with _shop(mutation.kind, tmp_path_factory.mktemp("sound")) as sound:
        await mutation.caught_by(sound)

    changed = mutation.made(vars(mutation.target)[mutation.attribute])
    async with _shop(mutation.kind, tmp_path_factory.mktemp("mutated")) as mutated:
        with mock.patch.object(mutation.target, mutation.attribute, changed), pytest.raises(AssertionError):
            await mutation.caught_by(mutated)


@asynccontextmanager
async def _shop(kind: str, home: Path) -> AsyncIterator[Shop]:
    shop = sqlite_shop(home) if kind == "sqlite" else FileShop(home, InFolder(home), kind)
    yield await shop.open()
    await shop.close()
