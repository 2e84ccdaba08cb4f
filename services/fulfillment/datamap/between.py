"""What only all maps together can tell: a reference into another system's map that leads nowhere."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.remedies import instead


def lost(maps: Sequence[DataMap]) -> Iterator[str]:
    """References into a map that is there, to a column that it lacks: nothing could ever be found by them."""
    by_key = {each.key: each for each in maps}
    for datamap, place, dataset, column in _foreign(maps):
        if dataset in by_key and column not in _columns(by_key[dataset]):
            remedy = instead(column, _columns(by_key[dataset]), "it has")
            yield f"{datamap.key}: {place}: refers to {column}, which the map {dataset} lacks; {remedy}"


def waiting(maps: Sequence[DataMap]) -> Mapping[str, tuple[str, ...]]:
    """By a map's key, its references into maps that no connected system has: one may be connected later."""
    keys = {each.key for each in maps}
    found: dict[str, list[str]] = {}
    for datamap, place, dataset, column in _foreign(maps):
        if dataset not in keys:
            said = (
                f"{place}: refers to {dataset}.{column}, and no connected system's map is called {dataset}: "
            )
            said += f"nothing is found by it; {_others(dataset, keys - {datamap.key})}"
            found.setdefault(datamap.key, []).append(said)
    return {key: tuple(each) for key, each in found.items()}


def _others(dataset: str, keys: AbstractSet[str]) -> str:
    return instead(dataset, keys, "there are") if keys else "no other system is connected"


def _foreign(maps: Sequence[DataMap]) -> Iterator[tuple[DataMap, str, str, str]]:
    """Each with its place, and the map and the column that it leads to."""
    for datamap in maps:
        for kind, at in datamap.identities():
            dataset, dot, column = kind.partition(".")
            if dot:
                yield datamap, f"collections.{at.collection}.fields.{at.field}", dataset, column


def _columns(datamap: DataMap) -> list[str]:
    return [f"{name}.{field}" for name, each in datamap.collections.items() for field in each.fields]
