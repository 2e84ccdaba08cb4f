"""What an answer to know says, as one document: everything else in the package is made of it.

A categories answer lists what Civ. Code 1798.110, .115 and .130(a)(3)-(4) ask for, individualised by what is held
(11 CCR 7024(j)-(l)): what was sold or shared and what was disclosed for a business purpose are two lists.
Values that 11 CCR 7024(d) forbids to show are described by kind and count.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.fulfillment.datamap.statutory import WORDS

Json = dict[str, Any]


def compose(exports: Sequence[Json]) -> Json:
    """The body of an answer: the categories over all systems, what is withheld, and each system's rows."""
    held = [category for export in exports for category in export["categories"]]
    return {
        "categories": {
            "collected": [_named(name) for name in sorted({each["category"] for each in held})],
            "sources": _union(held, "sources"),
            "purposes": _union(held, "purposes"),
            "third_parties_disclosed_to": sorted(
                {*_union(held, "disclosed_to"), *_union(held, "sold_or_shared_to")}
            ),
            "sold_or_shared": _by_category(held, "sold_or_shared_to"),
            "disclosed_for_a_business_purpose": _by_category(held, "disclosed_to"),
        },
        "held_but_not_shown": [_described(export, data, each) for export, data, each in _withheld(exports)],
        "systems": [_system(export) for export in exports],
    }


def _system(export: Json) -> Json:
    return {
        "system": export["system"],
        "categories": [{**each, **_named(each["category"])} for each in export["categories"]],
        "datasets": [
            {"dataset": data["dataset"], "by_category": _rows_by_category(data)}
            for data in export["datasets"]
        ],
    }


def _rows_by_category(data: Json) -> Json:
    """Each row's values under the statutory category of their column; the rest stands under `other`."""
    names = {column: data["categories"].get(column, "other") for row in data["rows"] for column in row}
    return {
        name: [
            {column: value for column, value in row.items() if names[column] == name} for row in data["rows"]
        ]
        for name in sorted(set(names.values()))
    }


def _named(category: str) -> dict[str, str]:
    return {"category": category, "words": dict[str, str](**WORDS).get(category, category)}


def _union(held: Iterable[Json], key: str) -> list[str]:
    return sorted({word for each in held for word in each[key]})


def _by_category(held: Sequence[Json], key: str) -> list[Json]:
    to: dict[str, set[str]] = {}
    for each in held:
        if each[key]:
            to.setdefault(each["category"], set()).update(each[key])
    return [{**_named(name), "recipients": sorted(recipients)} for name, recipients in sorted(to.items())]


def _withheld(exports: Iterable[Json]) -> Iterable[tuple[Json, Json, Mapping[str, Any]]]:
    return (
        (export, data, each) for export in exports for data in export["datasets"] for each in data["withheld"]
    )


def _described(export: Json, data: Json, withheld: Mapping[str, Any]) -> Json:
    """With particularity, but without the value (11 CCR 7024(d))."""
    return {
        "system": export["system"],
        "dataset": data["dataset"],
        "kind": withheld["kind"],
        "words": f"a {withheld['kind'].replace('_', ' ')} is held",
        "count": withheld["count"],
    }
