"""What a call is bound to is the same ids when it is read again, however many they are, or none at all."""

import json
from collections.abc import Sequence
from uuid import UUID

import pytest

from services.fulfillment.freezing import Freezing, PieceMissingError
from services.fulfillment.ports import Frozen, Job, Key
from shared.vault.errors import CannotUnseal
from shared.vault.vault import Vault
from tests.support.domain_driver import REQUEST, utc
from tests.support.memory_vault import memory_vault

KEYS: dict[str, Sequence[Key]] = {
    "visits": tuple((n,) for n in range(25)),
    "orders": tuple((f"order {n}", n) for n in range(7)),
}
MANY = Frozen(KEYS, {"households": ((1,), ("é",))}, (Job("people.delete:17", utc("2026-02-02 19:00")),))
FEW = Frozen({"visits": ((1,), (2,))})


class Pieces:
    """The table, in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, int], str] = {}

    async def keep(self, request_id: UUID, frozen_id: UUID, number: int, sealed: str) -> None:
        assert request_id == REQUEST
        self.rows[frozen_id, number] = sealed

    async def piece(self, frozen_id: UUID, number: int) -> str | None:
        return self.rows.get((frozen_id, number))


@pytest.fixture
async def vault() -> Vault:
    made = memory_vault()
    await made.create([REQUEST])
    return made


async def test_very_many_lie_in_pieces_and_are_the_same_when_they_are_read_again(vault: Vault) -> None:
    pieces = Pieces()
    freezing = Freezing(vault, pieces, piece=10)

    bound = await freezing.freeze(REQUEST, MANY, 3)
    frozen, called_in = await freezing.thaw(REQUEST, bound.frozen_id, bound.sealed)

    assert len(pieces.rows) == 5
    assert len(bound.sealed) < 1000
    assert (frozen, called_in) == (MANY, 3)


async def test_a_few_lie_in_the_task_s_row_alone(vault: Vault) -> None:
    pieces = Pieces()
    freezing = Freezing(vault, pieces, piece=10)

    bound = await freezing.freeze(REQUEST, FEW, 1)

    assert not pieces.rows
    assert bound.digest == FEW.digest()
    assert await freezing.thaw(REQUEST, bound.frozen_id, bound.sealed) == (FEW, 1)


async def test_they_are_known_by_the_same_in_any_order_and_by_another_with_one_more_or_less(
    vault: Vault,
) -> None:
    async def digest(rows: Frozen) -> str:
        return (await Freezing(vault, Pieces(), piece=10).freeze(REQUEST, rows, 1)).digest

    backwards = Frozen({name: tuple(reversed(keys)) for name, keys in reversed(KEYS.items())}, MANY.shared)
    others = [
        Frozen({**KEYS, "visits": KEYS["visits"][1:]}, MANY.shared),
        Frozen({**KEYS, "visits": (*KEYS["visits"], (25,))}, MANY.shared),
        Frozen({**KEYS, "visits": (*KEYS["visits"][1:], ("0",))}, MANY.shared),
        Frozen({**KEYS, **MANY.shared}),
    ]

    assert await digest(MANY) == await digest(backwards)
    assert len({await digest(each) for each in (MANY, *others)}) == 5


@pytest.mark.parametrize("lost", range(1, 6))
async def test_nothing_is_read_where_any_piece_is_not_there(vault: Vault, lost: int) -> None:
    pieces = Pieces()
    freezing = Freezing(vault, pieces, piece=10)
    bound = await freezing.freeze(REQUEST, MANY, 1)
    del pieces.rows[bound.frozen_id, lost]

    with pytest.raises(PieceMissingError):
        await freezing.thaw(REQUEST, bound.frozen_id, bound.sealed)


async def test_a_piece_in_another_s_place_is_not_read(vault: Vault) -> None:
    pieces = Pieces()
    freezing = Freezing(vault, pieces, piece=10)
    bound, other = [await freezing.freeze(REQUEST, MANY, 1) for _ in range(2)]
    pieces.rows[bound.frozen_id, 1] = pieces.rows[bound.frozen_id, 2]
    pieces.rows[other.frozen_id, 2] = pieces.rows[bound.frozen_id, 2]

    for each in (bound, other):
        with pytest.raises(CannotUnseal):
            await freezing.thaw(REQUEST, each.frozen_id, each.sealed)


async def test_what_was_frozen_before_there_were_pieces_is_read_as_it_is(vault: Vault) -> None:
    plain = json.dumps({"rows": MANY.to_json(), "called_in": 2}).encode()
    sealed = vault.seal(REQUEST, REQUEST, "frozen", plain)

    frozen, called_in = await Freezing(vault, Pieces(), piece=10).thaw(REQUEST, REQUEST, sealed)

    assert (frozen.to_json(), called_in) == (MANY.to_json(), 2)
