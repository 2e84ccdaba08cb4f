"""Find with every subject that a person may be known as, and put the rows together."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.fulfillment.keysets import FEW, KeySet
from services.fulfillment.ports import Adapter, Frozen, Key, NeedsPerson, Retry
from services.fulfillment.progress import got_further
from services.fulfillment.subjects import Wanted


async def find(adapter: Adapter, wanted: Wanted, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
    """The ids of everything held; rows that are the person's by one identifier are not shared by another."""
    all_found: Frozen | None = None
    for subject in wanted.subjects:
        found = await adapter.find(subject, cut_off=cut_off)
        if not isinstance(found, Frozen):
            return found
        await got_further()
        # Mostly there is one subject: very many keys are not put together with none.
        all_found = found if all_found is None else together(all_found, found)
    return Frozen({}) if all_found is None else all_found


def together(one: Frozen, other: Frozen) -> Frozen:
    """The rows of both; jobs that a system was given for either belong to neither."""
    rows = _union(one.rows, other.rows)
    return Frozen(rows, _without(_union(one.shared, other.shared), rows))


def _union(left: Mapping[str, Sequence[Key]], right: Mapping[str, Sequence[Key]]) -> dict[str, Sequence[Key]]:
    return {name: _both(left.get(name, ()), right.get(name, ())) for name in sorted({*left, *right})}


def _both(left: Sequence[Key], right: Sequence[Key]) -> Sequence[Key]:
    if len(left) + len(right) <= FEW:
        return tuple({**dict.fromkeys(left), **dict.fromkeys(right)})
    if not left or not right:
        return left or right
    found = KeySet()
    found.update(left)
    found.update(right)
    return found.kept()


def _without(
    keys: Mapping[str, Sequence[Key]], others: Mapping[str, Sequence[Key]]
) -> dict[str, tuple[Key, ...]]:
    left = {}
    for name, each in keys.items():
        own = KeySet()
        own.update(others.get(name, ()) if each else ())
        left[name] = tuple(key for key in each if key not in own)
    return {name: each for name, each in left.items() if each}
