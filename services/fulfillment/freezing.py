"""What a call is bound to, sealed before the call is committed, and read again by every later attempt.

A few ids lie in the task's row. Very many are sealed piece by piece and lie in a table of their own, all of them before
the call is committed; the row then names them and says how many pieces they are, so that nothing is ever bound to a
part of them, and nobody ever holds them all as text. Pieces that no row came to name are swept up.
"""

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias
from uuid import UUID

from services.fulfillment.frozen import Frozen, Key
from services.fulfillment.keysets import Packing
from services.fulfillment.outcomes import Json
from services.fulfillment.progress import got_further
from shared.canonical import canonical_json
from shared.ids import new_id
from shared.vault.vault import Vault

PIECE: Final = 10_000
"""So many ids are a piece; up to so many lie in the task's row."""
_FIELD = "frozen"
_SUMS = 2**256

Piece: TypeAlias = tuple[str, str, Sequence[Key]]
"""Whether they are `rows` or `shared`, their table, and some of its keys."""


class KeepsPieces(Protocol):
    """Where the pieces lie."""

    async def keep(self, request_id: UUID, frozen_id: UUID, number: int, sealed: str) -> None:
        """One more piece of these ids."""
        ...

    async def piece(self, frozen_id: UUID, number: int) -> str | None:
        """One of them, or None where it is not there."""
        ...


class PieceMissingError(LookupError):
    """Not all the ids are there: nothing may be done, or taken for done, by what is left of them."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What lies in the task's row, and what the ids are known by: the same for the same ids in any order."""

    sealed: str
    frozen_id: UUID
    digest: str


class Freezing:
    """Seals and unseals under the request's key."""

    def __init__(self, vault: Vault, pieces: KeepsPieces | None = None, *, piece: int = PIECE) -> None:
        self._vault = vault
        self._pieces = pieces
        self._piece = piece

    async def freeze(self, request_id: UUID, frozen: Frozen, called_in: int) -> Bound:
        """Seal the ids, and store them where they are very many."""
        frozen_id = new_id()
        if self._pieces is None or frozen.size() <= self._piece:
            sealed = self._sealed(request_id, frozen_id, {"rows": frozen.to_json(), "called_in": called_in})
            return Bound(sealed, frozen_id, frozen.digest())
        number, total = 0, 0
        for number, piece in enumerate(_pieces_of(frozen, self._piece), start=1):
            await self._vault.prefetch([request_id])
            plain = zlib.compress(json.dumps(piece).encode())
            sealed = self._vault.seal(request_id, frozen_id, f"{_FIELD}:{number}", plain)
            await self._pieces.keep(request_id, frozen_id, number, sealed)
            total = (total + _sum(piece)) % _SUMS
            await got_further()
        rest = replace(frozen, rows={}, shared={})
        said = {"rows": rest.to_json(), "called_in": called_in, "pieces": number}
        digest = hashlib.sha256(canonical_json([f"{total:064x}", rest.digest()])).hexdigest()
        return Bound(self._sealed(request_id, frozen_id, said), frozen_id, digest)

    async def thaw(self, request_id: UUID, frozen_id: UUID, sealed: str) -> tuple[Frozen, int]:
        """The ids, and the attempt that was the first to call with them.

        Raises:
            VaultError: they cannot be read any more.
            PieceMissingError: not all of them are there.
        """
        await self._vault.prefetch([request_id])
        said = json.loads(self._vault.open(request_id, frozen_id, _FIELD, sealed))
        frozen = Frozen.from_json(said["rows"])
        if "pieces" in said:
            frozen = await self._together(request_id, frozen_id, said["pieces"], frozen)
        return frozen, said["called_in"]

    async def _together(self, request_id: UUID, frozen_id: UUID, number: int, rest: Frozen) -> Frozen:
        found: dict[str, dict[str, Packing]] = {"rows": defaultdict(Packing), "shared": defaultdict(Packing)}
        for each in range(1, number + 1):
            sealed = await self._pieces.piece(frozen_id, each) if self._pieces else None
            if sealed is None:
                raise PieceMissingError
            await self._vault.prefetch([request_id])
            plain = self._vault.open(request_id, frozen_id, f"{_FIELD}:{each}", sealed)
            kind, table, keys = json.loads(zlib.decompress(plain))
            found[kind][table].add(map(tuple, keys))
            await got_further()
        rows, shared = ({table: one.kept() for table, one in each.items()} for each in found.values())
        return replace(rest, rows=rows, shared=shared)

    def _sealed(self, request_id: UUID, frozen_id: UUID, said: Json) -> str:
        return self._vault.seal(request_id, frozen_id, _FIELD, canonical_json(said))


def _pieces_of(frozen: Frozen, size: int) -> Iterator[Piece]:
    for kind, tables in (("rows", frozen.rows), ("shared", frozen.shared)):
        for table, keys in sorted(tables.items()):
            for start in range(0, len(keys), size):
                yield kind, table, keys[start : start + size]


def _sum(piece: Piece) -> int:
    """Of a number for each id: the order in which a system names its rows is none of what they are."""
    kind, table, keys = piece
    named = (json.dumps([kind, table, key]).encode() for key in keys)
    return sum(int.from_bytes(hashlib.sha256(one).digest()) for one in named)
