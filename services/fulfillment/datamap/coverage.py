"""What a map covers and what it leaves open: by whom it is reached, in how far each column is described."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.fulfillment.datamap.disputes import corrigible
from services.fulfillment.datamap.graph import plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection, MapField


@dataclass(frozen=True, slots=True)
class Coverage:
    """One system's map, counted; the names of what is open, never a value."""

    identities: tuple[str, ...]
    categories: tuple[str, ...]
    columns: int
    personal: int
    unreached: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()
    undescribed: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    """Columns that are set at a person's word."""

    @property
    def whole(self) -> bool:
        """Nothing is open."""
        return not (self.unreached or self.undated or self.undescribed)


def coverage(datamap: DataMap) -> Coverage:
    """Look through a map."""
    collections = datamap.collections.values()
    fields = [each for collection in collections for each in collection.fields.values()]
    kinds = {kind for kind, _ in datamap.identities()}
    return Coverage(
        identities=tuple(sorted(kinds)),
        categories=tuple(sorted({each.category for each in fields if each.category})),
        columns=len(fields),
        personal=sum(each.personal for each in fields),
        unreached=_personal(datamap, plan_walk(datamap, kinds).unreached),
        undated=tuple(sorted(c.name for c in collections if c.treatment == "erase" and not c.created_at)),
        undescribed=tuple(sorted(_undescribed(collections))),
        corrected=tuple(f"{c.name}.{field.name}" for c in collections for field in corrigible(c)),
    )


def _personal(datamap: DataMap, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if datamap.collections[name].treatment != "keep")


def _undescribed(collections: Iterable[MapCollection]) -> Iterator[str]:
    for collection in collections:
        for each in collection.fields.values():
            if lacking := list(_lacking(each)):
                yield f"{collection.name}.{each.name}: {', '.join(lacking)}"


def _lacking(each: MapField) -> Iterator[str]:
    """What a categories answer must say of a personal column (Civ. Code 1798.110(c), 1798.130(a)(5))."""
    if not each.personal:
        return
    if each.category is None:
        yield "category"
    if each.provenance.source in {None, "?"}:
        yield "source"
    if each.provenance.purpose in {None, "?"}:
        yield "purpose"
