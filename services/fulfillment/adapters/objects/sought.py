"""Everybody's keys of a list, gathered in one going through, as the columns of Parquet files are compared with them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, islice, repeat
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from services.fulfillment.bulk import Order
from services.fulfillment.datamap.graph import child_and_parent
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.ports import Key

Numbers: TypeAlias = int | tuple[int, int] | None
"""What was done to one's own rows; with how many are shared, if any are; nothing where the table was not asked."""


class Sought:
    """Everybody's keys of one collection, in a row; how many of them are whose; and until when each counts."""

    def __init__(self, name: str, orders: Sequence[Order]) -> None:
        self._name = name
        self._orders = orders
        self.own = [0] * len(orders)
        self.keys: list[Key] = []
        self.is_shared = False
        self._as: dict[Any, Any] = {}

    @cached_property
    def parts(self) -> list[Any]:
        """The keys' one part; none where some key has more, as one that names an older version."""
        try:
            return [part for (part,) in self.keys]
        except ValueError:
            return []

    @property
    def is_plain(self) -> bool:
        """No key names an older version, or is of another type than the next."""
        return len(self.parts) == len(self.keys) and len(set(map(type, self.parts))) <= 1

    @property
    def fits(self) -> bool:
        """Whether all are numbers of 64 bits."""
        try:
            return len(self.within(pa.int64())) == len(self.parts)
        except (OverflowError, pa.ArrowException):
            return False

    def numbers(self, done: Sequence[int]) -> Sequence[Numbers]:
        """What a receipt counts of each: mostly everybody has rows here, and nobody shares any."""
        if 0 not in self.own and not self.is_shared:
            return done
        name, each = self._name, (one.frozen for one in self._orders)
        return [
            (did, len(one.shared.get(name, ()))) if name in one.rows or name in one.shared else None
            for did, one in zip(done, each, strict=True)
        ]

    def within(self, kind: Any) -> Any:
        """The keys as an array of this type."""
        if kind not in self._as:
            self._as[kind] = pa.array(self.parts, kind)
        return self._as[kind]

    def until(self, kind: Any) -> Any:
        """The one cut-off of all, or each key's own, as times of this type."""
        if kind not in self._as:
            untils = [one.cut_off for one in self._orders]
            plain = {one: one.astimezone(UTC) if kind.tz else _naive(one) for one in set(untils)}
            pairs = zip(untils, self.own, strict=True)
            each = chain.from_iterable(repeat(plain[until], number) for until, number in pairs)
            [only, *others] = plain.values()
            self._as[kind] = pa.array(each, kind) if others else pa.scalar(only, kind)
        return self._as[kind]

    def of_each(self, found: Sequence[Any]) -> list[int] | None:
        """How many of each person's keys are at these places of the list; None where one key is two people's.

        A key is found at the first of its places: where every place is found, or no key is in any file, none matters.
        """
        if not found:
            return [0] * len(self.own)
        rows = pc.inverse_permutation(pa.chunked_array(found, pa.int32()), max_index=len(self.parts) - 1)
        if not rows.null_count:
            return self.own
        if len(set(self.parts)) < len(self.parts):
            return None
        there = iter(rows.is_valid().to_pylist())
        return [sum(islice(there, number)) for number in self.own]


def sought(datamap: DataMap, right: str, orders: Sequence[Order]) -> dict[str, Sought] | None:
    """Everybody's keys, where all of this can be done by columns as far as map and keys tell, and all have any."""
    if right != "delete":
        return None
    found = _gathered(orders)
    parents = {child_and_parent(each, datamap)[1].collection for each in datamap.references}
    if not all(_is_plain(datamap, name) and name not in parents for name in found):
        return None
    busy = any(0 not in one.own for one in found.values())
    return found if busy and all(one.is_plain for one in found.values()) else None


def _gathered(orders: Sequence[Order]) -> dict[str, Sought]:
    """In one going through: what lies scattered in memory is slow to come by, not what is done with it."""
    found = dict[str, Sought]()
    for number, order in enumerate(orders):
        frozen = order.frozen
        for name, keys in frozen.rows.items():
            one = found.get(name) or found.setdefault(name, Sought(name, orders))
            one.own[number] = len(keys)
            one.keys += keys
        for name in frozen.shared:
            found.setdefault(name, Sought(name, orders)).is_shared = True
    return {name: found[name] for name in sorted(found)}


def _is_plain(datamap: DataMap, name: str) -> bool:
    collection = datamap.collections.get(name)
    return collection is not None and collection.treatment == "erase" and len(collection.primary_key) == 1


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
