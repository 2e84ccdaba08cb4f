"""Draft the fields inside columns of JSON, from the names that some rows have there; values are dropped."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from services.fulfillment.rowwise.completeness import PLAIN_NAME
from services.fulfillment.rowwise.documents import columns_in

MOST_NAMES: Final = 100
"""Where there are more they are hardly names: somebody keeps values as keys."""

Names = dict[str, Any]


def names_of(documents: Iterable[Any]) -> Names | None:
    """The names inside, each with those inside it; None where nobody could have meant them as names."""
    paths = {path for each in documents for path in columns_in({"": each}) if path}
    steps = [path.removeprefix(".").split(".") for path in paths]
    if len(steps) > MOST_NAMES or not all(PLAIN_NAME.fullmatch(name) for path in steps for name in path):
        return None
    tree: Names = {}
    for path in sorted(steps):
        node = tree
        for name in path:
            node = node.setdefault(name, {})
    return tree


def lines_of(names: Names, indent: str, said: Callable[[str], str]) -> Iterator[str]:
    """The names as fields of a map."""
    for name, inner in names.items():
        if inner:
            yield f"{indent}- name: {name}"
            yield f"{indent}  fields:"
            yield from lines_of(inner, f"{indent}    ", said)
        else:
            yield f"{indent}- {said(name)}"
