"""A map's walk as a picture: Mermaid text, which editors, Git hosts and documentation tools draw."""

from collections.abc import Collection, Iterator, Mapping

from services.fulfillment.datamap.graph import WalkPlan, plan_walk
from services.fulfillment.datamap.model import DataMap, Treatment

_FATE: dict[Treatment, str] = {
    "erase": "erased", "deidentify": "de-identified", "retain": "retained", "keep": "walked through",
}  # fmt: skip


def picture(datamap: DataMap, kinds: Collection[str]) -> str:
    """Draw how rows are found from these kinds of seeds, and what a deletion does with them."""
    plan = plan_walk(datamap, kinds)
    return "\n".join(["flowchart LR", *(f"  {line}" for line in _lines(datamap, plan))]) + "\n"


def pictures(maps: Mapping[str, DataMap], kinds: Collection[str]) -> str:
    """One drawing of several systems, each in a frame with its name."""
    lines = ["flowchart LR"]
    for number, (name, datamap) in enumerate(maps.items()):
        drawn = _lines(datamap, plan_walk(datamap, kinds), of=f"m{number}")
        lines += [
            f'  subgraph m{number}["{name}"]',
            "    direction LR",
            *(f"    {line}" for line in drawn),
            "  end",
        ]
    return "\n".join(lines) + "\n"


def _lines(datamap: DataMap, plan: WalkPlan, *, of: str = "") -> Iterator[str]:
    kinds = sorted({seed.kind for seed in plan.seeds})
    tables = {name: f"{of}t{number}" for number, name in enumerate(sorted(datamap.collections))}
    seeds = {kind: f"{of}s{number}" for number, kind in enumerate(kinds)}
    yield from (f'{mark}(["{kind}"])' for kind, mark in seeds.items())
    for name, mark in tables.items():
        fate = "not reached" if name in plan.unreached else _FATE[datamap.collections[name].treatment]
        yield f'{mark}["{name}<br/>{fate}"]'
    for seed in plan.seeds:
        yield f'{seeds[seed.kind]} -->|"{seed.place.field} ({seed.match})"| {tables[seed.place.collection]}'
    for edge in plan.edges:
        pairs = ", ".join(f"{target} = {source}" for source, target in edge.pairs)
        arrow = "-.->" if edge.upward else "-->"
        yield f'{tables[edge.source]} {arrow}|"{pairs}"| {tables[edge.target]}'
