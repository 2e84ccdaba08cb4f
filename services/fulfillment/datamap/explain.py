"""A map's walk and order told in plain words, before anything is run."""

from collections.abc import Collection, Iterator

from services.fulfillment.datamap.graph import Edge, WalkPlan, deletion_order, map_links, plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection, Treatment

_TREATMENT: dict[Treatment, str] = {
    "erase": "rows are erased",
    "deidentify": "rows stay, de-identified",
    "retain": "rows are retained",
    "keep": "walked through only; holds nothing personal",
}


def explain(datamap: DataMap, kinds: Collection[str]) -> str:
    """Tell, for these kinds of seeds, how rows are found and what a deletion does with them."""
    plan = plan_walk(datamap, kinds)
    lines = [f"{datamap.key}: starting from {', '.join(sorted(kinds)) or 'nothing'}", "", "Find"]
    lines += [f"  {line}" for line in _finding(plan)]
    lines += ["", "Delete, in this order"]
    order = deletion_order(datamap.collections, map_links(datamap))
    lines += [f"  {_fate(datamap.collections[name])}" for name in order if name not in plan.unreached]
    return "\n".join(lines) + "\n"


def _finding(plan: WalkPlan) -> Iterator[str]:
    for seed in plan.seeds:
        yield f"{seed.place.collection} where {seed.place.field} is the {seed.kind} ({seed.match})"
    for edge in plan.edges:
        yield _step(edge)
    for name in plan.unreached:
        yield f"{name}: not reached from these"


def _step(edge: Edge) -> str:
    pairs = " and ".join(f"{target} = {edge.source}.{source}" for source, target in edge.pairs)
    caution = ", unless other people's rows refer to it" if edge.upward else ""
    return f"{edge.target} where {pairs}{caution}"


def _fate(collection: MapCollection) -> str:
    bound = f"up to the cut-off by {collection.created_at.field}" if collection.created_at else "by id alone"
    words = f"{collection.name}: {_TREATMENT[collection.treatment]}, {bound}"
    columns = ", ".join(f"{f.name} {f.deidentify.strategy}" for f in collection.deidentified if f.deidentify)
    kept = f"; kept: {', '.join(collection.exemptions)}" if collection.exemptions else ""
    return words + (f" ({columns})" if columns else "") + kept
