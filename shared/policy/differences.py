"""What differs between two versions of a regime, rule by rule, so that a change of the law can be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.policy.regimes import Regime


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs; None where one side lacks it."""

    path: str
    before: str | None
    after: str | None


def differences(before: Regime, after: Regime) -> tuple[Difference, ...]:
    """List every value of the rules that is not the same, by its path in the file."""
    old, new = (dict(_values(one.rules.model_dump(mode="json", by_alias=True))) for one in (before, after))
    paths = dict.fromkeys([*old, *new])
    every = (Difference(path, old.get(path), new.get(path)) for path in paths)
    return tuple(one for one in every if one.before != one.after)


def _values(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            name = inner["id"] if isinstance(inner, dict) and "id" in inner else place
            yield from _values(inner, f"{path}[{name}]")
    elif value is not None:
        yield path, str(value)
