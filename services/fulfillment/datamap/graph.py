"""The way from a person's seeds to every row: which edges to walk, which way, and what to delete first.

An edge is walked one way only. A reference without a direction is walked away from the seeds; between tables
equally near, from the referenced row to those that point at it. So a walk never comes back along the edge it
took, which is how a household would lead from one of its members to the others.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import DataMap, Place, Reference


@dataclass(frozen=True, slots=True)
class Seed:
    """Where one kind of identity is looked up."""

    kind: str
    place: Place
    match: Match


@dataclass(frozen=True, slots=True)
class Edge:
    """From rows of `source` to the rows of `target` whose columns equal theirs.

    `upward` edges go from a child to its parent, which other people's rows may share.
    """

    source: str
    target: str
    pairs: tuple[tuple[str, str], ...]
    upward: bool


@dataclass(frozen=True, slots=True)
class WalkPlan:
    """The walk as data: it can be explained before a single row is read."""

    seeds: tuple[Seed, ...]
    edges: tuple[Edge, ...]
    unreached: tuple[str, ...]


def plan_walk(datamap: DataMap, kinds: Collection[str]) -> WalkPlan:
    """Plan for a subject of whom these kinds of seeds are known."""
    seeds = tuple(
        Seed(kind, place, datamap.collections[place.collection].fields[place.field].match)
        for kind, place in datamap.identities()
        if kind in kinds
    )
    distance = _distances(datamap, {seed.place.collection for seed in seeds})
    edges = tuple(
        edge for edge in _edges(datamap, distance) if edge.source in distance and edge.target in distance
    )
    unreached = tuple(name for name in sorted(datamap.collections) if name not in distance)
    return WalkPlan(seeds, edges, unreached)


def child_and_parent(reference: Reference, datamap: DataMap) -> tuple[Place, Place]:
    """The child is the side that is not the other's key; by default the one that holds the reference."""
    holder, referenced = reference.holder, reference.referenced
    if _is_key(holder, datamap) and not _is_key(referenced, datamap):
        return referenced, holder
    return holder, referenced


def deletion_order(names: Iterable[str], links: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Children before parents, by name among equals; a circle is cut at its first name, always the same."""
    waiting: dict[str, set[str]] = {name: set() for name in sorted(names)}
    for child, parent in links:
        if child != parent and child in waiting and parent in waiting:
            waiting[parent].add(child)
    order: list[str] = []
    while waiting:
        free = [name for name, children in waiting.items() if not children] or [next(iter(waiting))]
        for name in free:
            del waiting[name]
        for children in waiting.values():
            children.difference_update(free)
        order += free
    return tuple(order)


def map_links(datamap: DataMap) -> list[tuple[str, str]]:
    """Every (child, parent) that the map itself states."""
    stated = [child_and_parent(reference, datamap) for reference in datamap.references]
    links = [(child.collection, parent.collection) for child, parent in stated]
    after = [(first, c.name) for c in datamap.collections.values() for first in c.erase_after]
    return [*links, *after]


def _is_key(place: Place, datamap: DataMap) -> bool:
    return datamap.collections[place.collection].primary_key == (place.field,)


def _distances(datamap: DataMap, start: set[str]) -> Mapping[str, int]:
    """Steps from the nearest seed, along every direction that a reference allows."""
    onward: dict[str, set[str]] = defaultdict(set)
    for reference in datamap.references:
        holder, referenced = reference.holder.collection, reference.referenced.collection
        if reference.direction != "to":
            onward[referenced].add(holder)
        if reference.direction != "from":
            onward[holder].add(referenced)
    distance = dict.fromkeys(start, 0)
    ring = sorted(start)
    while ring:
        reached = {name for near in ring for name in onward[near]} - distance.keys()
        distance |= dict.fromkeys(reached, distance[ring[0]] + 1)
        ring = sorted(reached)
    return distance


def _edges(datamap: DataMap, distance: Mapping[str, int]) -> list[Edge]:
    pairs: dict[tuple[str, str, bool], list[tuple[str, str]]] = defaultdict(list)
    for reference in datamap.references:
        source, target = _oriented(reference, datamap, distance)
        child, _ = child_and_parent(reference, datamap)
        upward = source == child and source != target
        pairs[source.collection, target.collection, upward].append((source.field, target.field))
    return [
        Edge(source, target, joined, upward)
        for (source, target, upward), found in pairs.items()
        for joined in _joined(found, datamap, target if upward else source, upward=upward)
    ]


def _oriented(reference: Reference, datamap: DataMap, distance: Mapping[str, int]) -> tuple[Place, Place]:
    holder, referenced = reference.holder, reference.referenced
    if reference.direction:
        return (holder, referenced) if reference.direction == "to" else (referenced, holder)
    child, parent = child_and_parent(reference, datamap)
    far = len(distance)
    nearer_child = distance.get(child.collection, far) < distance.get(parent.collection, far)
    return (child, parent) if nearer_child else (parent, child)


def _joined(
    pairs: list[tuple[str, str]], datamap: DataMap, parent: str, *, upward: bool
) -> list[tuple[tuple[str, str], ...]]:
    """Columns that together are the parent's key are walked as one: never a tenant's rows alone."""
    parent_columns = [pair[1] if upward else pair[0] for pair in pairs]
    key = datamap.collections[parent].primary_key
    if len(key) > 1 and sorted(parent_columns) == sorted(key):
        return [tuple(pairs)]
    return [(pair,) for pair in pairs]
