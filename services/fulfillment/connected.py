"""A system ready for use: what the rules know of it, its data map, and the adapter that reaches it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.fulfillment.callbacks import ReceivesCallbacks
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.domain import SystemEntry
from services.fulfillment.domain.catalogue import AUTOMATED
from services.fulfillment.lanes import Lane
from services.fulfillment.ports import Adapter
from shared.policy.rights import Right

TO_KNOW = frozenset({Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES})
ALWAYS = TO_KNOW | {Right.DELETE}


@dataclass(frozen=True, slots=True)
class Connected:
    """One system; `app` makes these, and nobody else knows which adapter stands behind one."""

    entry: SystemEntry
    datamap: DataMap
    adapter: Adapter
    lane: Lane | None = None
    backup_days: int | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    receives: ReceivesCallbacks | None = None


class Systems:
    """The connected systems by name."""

    def __init__(self, connected: Iterable[Connected]) -> None:
        self._by_name: Mapping[str, Connected] = {each.entry.name: each for each in connected}

    def get(self, name: str) -> Connected | None:
        """The system, or None where it was disconnected after a task was planned for it."""
        return self._by_name.get(name)

    async def close(self) -> None:
        """Give back every connection."""
        for each in self._by_name.values():
            await each.adapter.close()


def rights_of(datamap: DataMap) -> frozenset[Right]:
    """What can be done in a system by itself: flags only where the map names their columns."""
    collections = datamap.collections.values()
    flagged = {
        Right.OPT_OUT: any(c.opt_out for c in collections),
        Right.LIMIT: any(c.limit for c in collections),
    }
    holds = any(c.treatment != "keep" for c in collections)
    found = (ALWAYS if holds else frozenset()) | {right for right, has in flagged.items() if has}
    return found & AUTOMATED


def categories_of(datamap: DataMap) -> frozenset[str] | None:
    """The statute's categories that a system holds; None where its map names none, which says nothing."""
    fields = (field for collection in datamap.collections.values() for field in collection.fields.values())
    return frozenset(field.category for field in fields if field.category) or None


def kinds_found_by(datamap: DataMap) -> frozenset[str]:
    """The kinds of identifiers that lead to rows."""
    return frozenset(kind for kind, _ in datamap.identities())


def kinds_known(datamap: DataMap) -> frozenset[str]:
    """The kinds that can be read from rows: the map's identities, and its columns as others refer to them."""
    foreign = (f"{datamap.key}.{c.name}.{name}" for c in datamap.collections.values() for name in c.fields)
    return kinds_found_by(datamap) | frozenset(foreign)
